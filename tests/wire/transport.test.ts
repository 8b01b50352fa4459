import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { selfSigned } from '@tallygate/testkit/self-signed';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** When each piece of the body came, in milliseconds. */
  arrivedMs: number[];
}
interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

function send(url: string, { method, headers = {}, body }: Sent = {}): Promise<Answer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const bytes = body === undefined ? undefined : JSON.stringify(body);
  const framing =
    bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: method ?? (bytes === undefined ? 'GET' : 'POST'),
        headers: { ...framing, ...headers },
        agent: false,
        rejectUnauthorized: false,
      },
      (response) => {
        let text = '';
        const arrivedMs: number[] = [];
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          arrivedMs.push(performance.now());
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, arrivedMs }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

const OWNER = { username: 'owner', password: 'a-throwaway-Passphrase-91' };
const SEEDED = { DASHBOARD_USERNAME: OWNER.username, DASHBOARD_PASSWORD: OWNER.password };
let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream(anthropicApi());
});
afterAll(() => upstream?.stop());
const accounts = () => [{ provider: 'anthropic', baseUrl: upstream.url }];
const ANTHROPIC = { 'anthropic-version': '2023-06-01' };

describe('behind a reverse proxy that is trusted (TW-04, CF-13)', () => {
  let gate: Gate;
  beforeAll(async () => {
    gate = await startGate({
      accounts: accounts(),
      config: {
        ...SEEDED,
        TRUSTED_PROXIES: '127.0.0.1',
        ALLOWED_HOSTS: 'gate.example',
        ALLOWED_CLIENT_ADDRESSES: '127.0.0.1, 203.0.113.0/24',
        CORS_ALLOWED_ORIGINS: 'https://app.example',
        CSP_REPORT_ONLY: 'true',
        HSTS_SUBDOMAINS: 'true',
        CSP_CONNECT_SRC: 'https://telemetry.example',
      },
    });
  });
  afterAll(() => gate?.stop());
  const proxied = (more: Record<string, string> = {}) => ({
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'gate.example',
    ...more,
  });
  const login = (headers: Record<string, string>) =>
    send(`${gate.url}/api/auth/login`, { headers, body: OWNER });

  it('sets the cookie Secure with its prefix, and accepts it only there', async () => {
    const answer = await login(proxied({ origin: 'https://gate.example' }));
    expect(answer.status).toBe(200);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/^__Host-tallygate_session=[^;]+; .*HttpOnly; SameSite=Strict; Secure$/);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    const sent = { cookie: cookie.split(';')[0] ?? '' };
    expect((await send(`${gate.url}/api/auth/csrf`, { headers: proxied(sent) })).status).toBe(200);
    expect((await send(`${gate.url}/api/auth/csrf`, { headers: sent })).status).toBe(401);
  });

  it('sets a plain cookie where the proxy speaks of plain HTTP, and no HSTS', async () => {
    const answer = await login({ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' });
    expect(String(answer.headers['set-cookie'])).toMatch(/^tallygate_session=(?!.*Secure)/);
    expect(answer.headers['strict-transport-security']).toBeUndefined();
  });

  it.each([
    ['another site', 'https://evil.example'],
    ['the scheme it was not', 'http://gate.example'],
    ['another port', 'https://gate.example:8443'],
    ['the name behind the proxy', 'https://127.0.0.1'],
    ['no origin', 'null'],
  ])('403 for writes from %s', async (_what, origin) => {
    expect((await login(proxied({ origin }))).status).toBe(403);
  });

  it('403 for names that are not ours, in Host and in what the proxy forwards', async () => {
    expect((await login(proxied({ 'x-forwarded-host': 'evil.example' }))).text).toContain('host_not_allowed');
    expect((await login(proxied({ host: 'evil.example' }))).text).toContain('host_not_allowed');
    expect((await login(proxied({ host: 'gate.example' }))).status).toBe(200);
  });

  it('403 for clients that are not on the list, in the dialect of the path', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', 'x-api-key': gate.key, ...ANTHROPIC };
    const api = await send(`${gate.url}/healthz`, { headers });
    expect([api.status, api.text.includes('client_not_allowed')]).toEqual([403, true]);
    const data = await send(`${gate.url}/v1/messages`, { headers, body: MESSAGES_BODY });
    expect([data.status, data.headers['x-tallygate-error']]).toEqual([403, 'client_not_allowed']);
    expect(data.text).toContain('"type":"error"');
    expect(
      (
        await send(`${gate.url}/v1/messages`, {
          headers: { ...headers, 'x-forwarded-for': '203.0.113.1' },
          body: MESSAGES_BODY,
        })
      ).status,
    ).toBe(200);
  });

  describe('pages of other origins (CF-13, CW-05)', () => {
    const preflight = (origin: string, path = '/v1/messages') =>
      send(`${gate.url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-api-key,content-type',
        },
      });

    it('may call the API of the models when they are on the list', async () => {
      const answer = await preflight('https://app.example');
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        'access-control-allow-headers': 'x-api-key,content-type',
        'access-control-allow-methods': 'GET, POST',
        vary: 'Origin',
      });
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      upstream.respondOnce((exchange) =>
        exchange.answer(
          200,
          [
            ['content-type', 'application/json'],
            ['Access-Control-Allow-Origin', '*'],
            ['access-control-allow-credentials', 'true'],
          ],
          '{}',
        ),
      );
      const call = await send(`${gate.url}/v1/messages`, {
        headers: { origin: 'https://app.example', 'x-api-key': gate.key, ...ANTHROPIC },
        body: MESSAGES_BODY,
      });
      expect([call.status, call.headers['access-control-allow-origin']]).toEqual([
        200,
        'https://app.example',
      ]);
      expect(call.headers['access-control-allow-credentials']).toBeUndefined();
      const refused = await send(`${gate.url}/v1/messages`, {
        headers: { origin: 'https://app.example' },
        body: {},
      });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([
        401,
        'https://app.example',
      ]);
    });

    it.each([
      'https://evil.example',
      'http://app.example',
      'https://app.example:444',
      'null',
      'https://app.example.evil.example',
    ])('may not from %s', async (origin) => {
      const answer = await preflight(origin);
      expect(answer.status).toBe(404);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    });

    it('may never call our own API', async () => {
      const answer = await preflight('https://app.example', '/api/auth/login');
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    });
  });

  it('only reports under CSP_REPORT_ONLY, names the extra origins, and leaves no fingerprint (TW-18)', async () => {
    const { headers } = await send(`${gate.url}/`);
    expect(headers['content-security-policy']).toBeUndefined();
    const policy = String(headers['content-security-policy-report-only']);
    for (const part of [
      "script-src 'self'",
      "object-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "connect-src 'self' https://telemetry.example",
    ]) {
      expect(policy.split('; ')).toContain(part);
    }
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['permissions-policy']).toContain('camera=()');
    expect([headers.server, headers['x-powered-by'], headers['access-control-allow-origin']]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const health = await send(`${gate.url}/healthz`);
    expect(health.headers['cache-control']).toBe('no-store');
  });
});

describe('https in the server (CF-13)', () => {
  let gate: Gate;
  let dir: string;
  let plain: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tallygate-tls-'));
    const { cert, key } = selfSigned();
    writeFileSync(join(dir, 'cert.pem'), cert);
    writeFileSync(join(dir, 'key.pem'), key);
    gate = await startGate({
      accounts: accounts(),
      config: {
        ...SEEDED,
        TLS_CERT_FILE: join(dir, 'cert.pem'),
        TLS_KEY_FILE: join(dir, 'key.pem'),
        HTTP_REDIRECT_PORT: '0',
      },
    });
    plain = `http://127.0.0.1:${/Plain HTTP on port (\d+)/.exec(gate.output())?.[1]}`;
  });
  afterAll(async () => {
    await gate?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('streams as it does over plain HTTP: each event when it comes', async () => {
    expect(gate.url).toMatch(/^https:/);
    const second = Promise.withResolvers<void>();
    upstream.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['content-type', 'text/event-stream'],
        ['transfer-encoding', 'chunked'],
      ]);
      await exchange.chunk('event: ping\ndata: {"type":"ping"}\n\n');
      await second.promise;
      await exchange.chunk('event: message_stop\ndata: {"type":"message_stop"}\n\n');
      await exchange.endChunks();
    });
    const body = JSON.stringify({ ...MESSAGES_BODY, stream: true });
    const seen = await new Promise<string[]>((resolve, reject) => {
      const outgoing = httpsRequest(
        `${gate.url}/v1/messages`,
        {
          method: 'POST',
          headers: { 'x-api-key': gate.key, 'content-type': 'application/json', ...ANTHROPIC },
          agent: false,
          rejectUnauthorized: false,
        },
        (response) => {
          const parts: string[] = [response.httpVersion];
          response.setEncoding('utf8').on('data', (part: string) => {
            parts.push(part);
            second.resolve(); // the second event is sent only once the first has arrived
          });
          response.on('end', () => resolve(parts));
          response.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    expect(seen[0]).toBe('1.1');
    expect(seen.slice(1).join('')).toBe(
      'event: ping\ndata: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
    );
  });

  it('sets Secure cookies and HSTS by itself', async () => {
    const answer = await send(`${gate.url}/api/auth/login`, { headers: { origin: gate.url }, body: OWNER });
    expect(answer.status).toBe(200);
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-.*Secure$/);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
    const forged = await send(`${gate.url}/api/auth/login`, {
      headers: { origin: gate.url.replace('https', 'http') },
      body: OWNER,
    });
    expect(forged.status).toBe(403);
  });

  it('is found in order by the doctor', async () => {
    const { port } = new URL(gate.url);
    const env = { TLS_CERT_FILE: join(dir, 'cert.pem'), TLS_KEY_FILE: join(dir, 'key.pem') };
    const { stdout } = await runCliProcess(['doctor', '--json', '--data-dir', gate.dataDir, '--port', port], {
      env,
    });
    expect(stdout).toContain(`The server answers at 127.0.0.1:${port}.`);
  });

  it('308 on the plain port for pages', async () => {
    const answer = await send(`${plain}/requests?model=x`);
    expect([answer.status, answer.headers.location]).toEqual([308, `${gate.url}/requests?model=x`]);
    expect(answer.headers['strict-transport-security']).toBeUndefined();
  });

  it.each([
    ['a call', '/v1/messages', { body: MESSAGES_BODY }],
    ['a call by GET', '/v1/models', {}],
    ['our own API', '/api/usage/totals', {}],
    ['metrics', '/metrics', {}],
    ['a key in a header', '/', { headers: { authorization: 'Bearer x' } }],
    ['another key in a header', '/', { headers: { 'x-api-key': 'x' } }],
    ['a session', '/', { headers: { cookie: '__Host-tallygate_session=x' } }],
    ['a form', '/setup', { method: 'POST' }],
  ] as const)('403 there for %s, and no redirect', async (_what, path, sent) => {
    const answer = await send(`${plain}${path}`, sent as Sent);
    expect([answer.status, answer.headers.location, answer.text.includes('https')]).toEqual([
      403,
      undefined,
      true,
    ]);
  });

  it('redirects to no name but ours', async () => {
    const answer = await send(`${plain}/`, { headers: { host: 'evil.example' } });
    expect([answer.status, answer.headers.location]).toEqual([403, undefined]);
  });
});
