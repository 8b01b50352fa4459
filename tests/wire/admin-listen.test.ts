import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { selfSigned } from '@tallygate/testkit/self-signed';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}
function send(
  url: string,
  { method, headers = {}, body }: Sent = {},
): Promise<{ status: number; text: string; allow: string | undefined }> {
  const bytes = body === undefined ? undefined : JSON.stringify(body);
  const framing =
    bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length };
  const ask = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = {
      method: method ?? (bytes === undefined ? 'GET' : 'POST'),
      headers: { ...framing, ...headers },
      agent: false,
      rejectUnauthorized: false,
    };
    const outgoing = ask(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, allow: response.headers.allow }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

let upstream: FakeUpstream;
let gate: Gate | null = null;
beforeAll(async () => {
  upstream = await startFakeUpstream(anthropicApi());
});
afterEach(async () => {
  await gate?.stop();
  gate = null;
});
afterAll(() => upstream?.stop());

const accounts = () => [{ provider: 'anthropic', baseUrl: upstream.url }];
const adminUrlOf = (made: Gate): string => {
  const url = /metrics are at (https?:\/\/\S+) alone/.exec(made.output())?.[1];
  if (url === undefined) throw new Error(made.output());
  return url;
};
const PAGE = { accept: 'text/html' };
const MODEL_CALL = (made: Gate) => ({
  headers: { 'x-api-key': made.key, 'anthropic-version': '2023-06-01' },
  body: MESSAGES_BODY,
});
/** One path of each kind that the public listener must not know. */
const ADMIN_PATHS = [
  '/',
  '/keys',
  '/assets/x.js',
  '/api/keys',
  '/api/setup/status',
  '/api/auth/me',
  '/metrics',
];

describe('ADMIN_LISTEN (CF-13)', () => {
  it('takes dashboard, API and metrics away from the public listener, which does not know their paths', async () => {
    const made = await startGate({ accounts: accounts(), config: { ADMIN_LISTEN: '127.0.0.1:0' } });
    gate = made;
    const admin = adminUrlOf(made);
    const unknown = await send(`${made.url}/api/no-such-thing`);
    for (const path of ADMIN_PATHS) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        const answer = await send(`${made.url}${path}`, { method, headers: PAGE });
        expect([method, path, answer.status, answer.allow]).toEqual([method, path, 404, undefined]);
        const same = (text: string) => text.replace(/"requestId":"[^"]+"/, '');
        if (method === 'GET') expect(same(answer.text)).toBe(same(unknown.text));
      }
    }
    const key = await made.addKey({ scopes: ['admin'] });
    const headers = { 'x-api-key': key.key };
    expect((await send(`${made.url}/api/keys`, { headers })).status).toBe(404);
    expect((await send(`${made.url}/healthz`)).status).toBe(200);
    expect((await send(`${made.url}/v1/messages`, MODEL_CALL(made))).status).toBe(200);

    expect((await send(`${admin}/api/keys`, { headers })).status).toBe(200);
    const metrics = await send(`${admin}/metrics`, { headers });
    expect(metrics.status).toBe(200);
    expect(metrics.text).toMatch(/^tallygate_ledger_backlog_rows \d+$/m);
    expect((await send(`${admin}/healthz`)).status).toBe(200);
    expect((await send(`${admin}/`, { headers: PAGE })).status).toBe(200);
    const sent = upstream.requests.length;
    expect((await send(`${admin}/v1/messages`, MODEL_CALL(made))).status).toBe(404);
    expect(upstream.requests).toHaveLength(sent);
  });

  it('speaks TLS on both', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tg-admin-tls-'));
    try {
      const { cert, key } = selfSigned();
      writeFileSync(join(dir, 'cert.pem'), cert);
      writeFileSync(join(dir, 'key.pem'), key, { mode: 0o600 });
      const made = await startGate({
        accounts: accounts(),
        config: {
          ADMIN_LISTEN: '127.0.0.1:0',
          TLS_CERT_FILE: join(dir, 'cert.pem'),
          TLS_KEY_FILE: join(dir, 'key.pem'),
        },
      });
      gate = made;
      const admin = adminUrlOf(made);
      expect([made.url, admin].every((url) => url.startsWith('https://'))).toBe(true);
      expect((await send(`${admin}/api/setup/status`)).status).toBe(200);
      expect((await send(`${made.url}/api/setup/status`)).status).toBe(404);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('lists of addresses (CF-13)', () => {
  it('ADMIN_ALLOWED_ADDRESSES closes dashboard, API and metrics to others, and leaves the gate open', async () => {
    const made = await startGate({
      accounts: accounts(),
      config: { ADMIN_ALLOWED_ADDRESSES: '10.9.0.0/16', TRUSTED_PROXIES: '127.0.0.1' },
    });
    gate = made;
    for (const path of ADMIN_PATHS) {
      const answer = await send(`${made.url}${path}`, { headers: PAGE });
      expect([path, answer.status, answer.text.includes('client_not_allowed')]).toEqual([path, 403, true]);
    }
    const inside = { ...PAGE, 'x-forwarded-for': '10.9.8.7' };
    expect((await send(`${made.url}/api/setup/status`, { headers: inside })).status).toBe(200);
    expect((await send(`${made.url}/healthz`)).status).toBe(200);
    expect((await send(`${made.url}/v1/messages`, MODEL_CALL(made))).status).toBe(200);
    expect((await made.adminRequest('GET', '/api/keys')).status).toBe(200);
  });

  it('a workspace lets its keys in from its own addresses only, at the gate and at the API', async () => {
    const made = await startGate({ accounts: accounts(), config: { TRUSTED_PROXIES: '127.0.0.1' } });
    gate = made;
    const admin = await made.addKey({ scopes: ['admin'] });
    const from = (address: string) => ({ 'x-api-key': admin.key, 'x-forwarded-for': address });
    const model = (address: string) => {
      const call = MODEL_CALL(made);
      return send(`${made.url}/v1/messages`, {
        ...call,
        headers: { ...call.headers, 'x-forwarded-for': address },
      });
    };
    const { workspaces } = await made.admin<{ workspaces: { id: string }[] }>('GET', '/api/workspaces');
    const path = `/api/workspaces/${workspaces[0]?.id}`;
    await made.admin('PATCH', path, { allowedAddresses: ['10.9.0.0/16', '2001:db8::/32'] });
    expect((await model('10.9.8.7')).status).toBe(200);
    expect((await model('2001:db8::7')).status).toBe(200);
    const refused = await model('10.8.8.7');
    expect([refused.status, refused.text.includes('"type":"error"')]).toEqual([403, true]);
    expect((await send(`${made.url}/api/keys`, { headers: from('10.9.8.7') })).status).toBe(200);
    const api = await send(`${made.url}/api/keys`, { headers: from('10.8.8.7') });
    expect([api.status, api.text.includes('client_not_allowed')]).toEqual([403, true]);
    await made.admin('PATCH', path, { name: 'Renamed' });
    expect((await model('10.8.8.7')).status).toBe(403);
    await made.admin('PATCH', path, { allowedAddresses: [] });
    expect((await model('10.8.8.7')).status).toBe(200);
  });
});
