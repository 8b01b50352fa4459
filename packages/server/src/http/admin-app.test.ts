import { connect } from 'node:net';
import { type AdminWorld, type Answer, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: AdminWorld;
let key: string;
beforeAll(async () => {
  world = await startAdminWorld(await openTestStore());
  key = (await world.makeKey(['admin'])).key;
});
afterAll(() => world.close());

const admin = (path: string, options: Parameters<AdminWorld['call']>[1] = {}) =>
  world.call(path, { ...options, headers: { authorization: `Bearer ${key}`, ...options.headers } });

function expectSecured(answer: Answer): void {
  expect(answer.headers).toMatchObject({
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; report-uri /api/csp-report",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(answer.headers['permissions-policy']).toContain('camera=()');
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.headers.server).toBeUndefined();
  expect(answer.headers['x-powered-by']).toBeUndefined();
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
}

describe('every answer (CW-06)', () => {
  it.each([
    ['200', 'GET', '/healthz'],
    ['200 banner', 'GET', '/'],
    ['200 text', 'GET', '/metrics'],
    ['400', 'GET', '/api/requests?limit=0'],
    ['400 undecodable', 'GET', '/api/%ff%zz'],
    ['401', 'POST', '/api/auth/login'],
    ['404', 'GET', '/api/nothing'],
    ['404 id', 'DELETE', '/api/keys/nobody'],
    ['405', 'DELETE', '/api/system'],
  ])(
    '%s carries the security headers, a request id and no fingerprint: %s %s',
    async (_case, method, path) => {
      const body = method === 'POST' ? { username: 'x', password: 'y' } : undefined;
      const answer = await admin(path, { method, ...(body ? { body } : {}) });
      expectSecured(answer);
      expect(answer.headers['cache-control']).toBe('no-store');
      if (answer.status >= 400) {
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
        expect(answer.json.error).toMatchObject({ requestId: answer.headers['x-request-id'] });
        expect(answer.json.error).toHaveProperty('docs', `docs/errors/${answer.json.error?.code}.md`);
      }
    },
  );

  it('ignores a request id that the client made up', async () => {
    const answer = await world.call('/healthz', {
      headers: { 'x-request-id': 'mine', 'request-id': 'mine' },
    });
    expect(answer.headers['x-request-id']).not.toBe('mine');
  });

  it('answers HEAD as GET, without a body', async () => {
    const head = await world.call('/healthz', { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', '11']);
  });
});

describe('unknown paths and methods', () => {
  it.each([
    '/api',
    '/api/',
    '/api/nothing',
    '/api/keys/',
    '/API/keys',
    '/api//keys',
    '/.env',
    '/.git/config',
    '/admin',
    '/debug',
    '/api/keys/a/b',
    '/api/../api/keyz',
    '/__proto__',
    '/constructor',
  ])('404 for %s', async (path) => {
    const answer = await admin(path);
    expect([answer.status, answer.json.error?.code]).toEqual([404, 'route_not_found']);
  });

  it.each([
    ['PUT', '/api/keys', 'HEAD, GET, POST'],
    ['GET', '/api/auth/login', 'POST'],
    ['POST', '/api/usage/totals', 'HEAD, GET'],
    ['OPTIONS', '/api/keys', 'HEAD, GET, POST'],
    ['PATCH', '/api/openapi.json', 'HEAD, GET'],
  ])('405 for %s %s, with Allow: %s', async (method, path, allow) => {
    const answer = await admin(path, { method });
    expect([answer.status, answer.json.error?.code, answer.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      allow,
    ]);
  });
});

describe('bodies', () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    admin('/api/projects', { method: 'POST', body, headers });

  it.each([
    ['not JSON', '{"slug":'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['two documents', '{}{}'],
  ])('400 invalid_json for %s, without quoting it', async (_name, body) => {
    const answer = await post(body);
    expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_json']);
    expect(answer.text).not.toContain('slug');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ])('415 for %s', async (type) => {
    const answer = await post('{"slug":"a"}', { 'content-type': type });
    expect([answer.status, answer.json.error?.code]).toEqual([415, 'unsupported_media_type']);
  });

  it('takes a charset parameter', async () => {
    expect(
      (await post('{"slug":"charset"}', { 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(201);
  });

  it('413 for more than 1 MiB, declared or not', async () => {
    const big = JSON.stringify({ slug: 'a'.repeat(1024 * 1024) });
    const declared = await post(big);
    expect([declared.status, declared.json.error?.code]).toEqual([413, 'request_too_large']);
    const socket = connect(world.port, '127.0.0.1');
    socket.on('error', () => undefined); // the server closes while we still send
    socket.write(
      `POST /api/projects HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
    const answered = new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    for (let sent = 0; sent <= 17; sent++) socket.write(chunk);
    expect(await answered).toMatch(/^HTTP\/1.1 413 [\s\S]*request_too_large/);
    socket.destroy();
  });

  it.each([null, [], 'text', 7, [{ slug: 'a' }]])('400 for a body that is no object: %j', async (body) => {
    const answer = await post(JSON.stringify(body));
    // null is the absence of a body: then the missing field is named
    expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_request']);
  });

  it('400 for __proto__, which changes nothing', async () => {
    const answer = await post('{"slug":"proto","__proto__":{"polluted":true}}');
    expect(answer.status).toBe(400);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('survives a deeply nested document', async () => {
    const answer = await admin('/api/prices/quote', {
      method: 'POST',
      body: `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    });
    expect(answer.status).toBe(400);
  });

  it('names all wrong fields, at most twenty, and none of their values', async () => {
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`field${i}`, 'value-canary']));
    const answer = await post(fields);
    expect(answer.json.error?.details).toHaveLength(20);
    expect(answer.text).not.toContain('value-canary');
  });

  it('asks for a credential before it reads a byte of the body', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(world.port, '127.0.0.1', () =>
        socket.write(
          'POST /api/keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n',
        ),
      );
      socket.once('data', (chunk) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
  });
});

describe('bounds', () => {
  it('400 for a very long address', async () => {
    const answer = await admin(`/api/requests?model=${'a'.repeat(9_000)}`);
    expect(answer.status).toBe(400);
    expect(answer.json.error?.message).toMatch(/address is longer/);
  });

  it('431 for more than a hundred header fields', async () => {
    const headers = Object.fromEntries(Array.from({ length: 110 }, (_, i) => [`x-${i}`, '1']));
    expect((await world.call('/healthz', { headers })).status).toBe(431);
  });

  it('429 with Retry-After when one caller asks without end, while others go on', async () => {
    const other = (await world.makeKey(['admin'])).key;
    const statuses: number[] = [];
    for (let i = 0; i < 21; i++) {
      const answer = await world.call('/api/rollups/verify', {
        method: 'POST',
        headers: { 'x-api-key': other },
      });
      statuses.push(answer.status);
      if (answer.status === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([...new Array(20).fill(200), 429]);
    expect((await admin('/api/rollups/verify', { method: 'POST' })).status).toBe(200);
  });
});

describe('Host (DNS rebinding)', () => {
  it.each([
    'localhost',
    'localhost:4100',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.8.9.1:80',
    '[::1]:4100',
    'gate.localhost',
    'localhost.',
  ])('answers on loopback under %s', async (host) => {
    expect((await world.call('/healthz', { headers: { host } })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:4100',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '192.168.0.1',
    'localhost@evil.example',
    '[::2]',
    '127.1',
    '0.0.0.0',
  ])('403 under %j', async (host) => {
    const answer = await admin('/api/keys', { headers: { host } });
    expect([answer.status, answer.json.error?.code]).toEqual([403, 'host_not_allowed']);
    expect(answer.text).not.toContain('tg_');
  });

  it('answers under the configured host, and under any when it is not bound to loopback', async () => {
    const named = await startAdminWorld(await openTestStore(), {
      hosts: { namesOnly: true, allowedHosts: ['Gate.example.org'] },
    });
    expect((await named.call('/healthz', { headers: { host: 'gate.example.org:443' } })).status).toBe(200);
    expect((await named.call('/healthz', { headers: { host: 'example.org' } })).status).toBe(403);
    await named.close();
    const open = await startAdminWorld(await openTestStore(), {
      hosts: { namesOnly: false, allowedHosts: [] },
    });
    expect((await open.call('/healthz', { headers: { host: 'anything.example' } })).status).toBe(200);
    await open.close();
  });

  it('does not matter on the owner-only socket', async () => {
    expect((await world.call('/api/keys', { local: true, headers: { host: 'tallygate' } })).status).toBe(200);
  });
});

describe('the local mark', () => {
  it('cannot be sent: no header makes a caller local', async () => {
    for (const name of [
      'x-local',
      'x-local-socket',
      'local',
      'x-tallygate-local',
      'x-forwarded-for',
      'forwarded',
    ]) {
      const answer = await world.call('/api/backup', {
        method: 'POST',
        body: { path: '/x' },
        headers: { [name]: '127.0.0.1' },
      });
      expect(answer.status).toBe(401);
    }
  });
});

describe('failures inside', () => {
  it('500 with a request id that the log has, and nothing of the error’s own words', async () => {
    const store = await openTestStore();
    const listProjects = async () => {
      throw new Error('sql-canary: SELECT secret FROM users');
    };
    const broken = await startAdminWorld({ ...store, config: withMethods(store.config, { listProjects }) });
    const answer = await broken.call('/api/projects', { local: true });
    expect([answer.status, answer.json.error?.code]).toEqual([500, 'internal_error']);
    expect(answer.text).not.toContain('sql-canary');
    expect(broken.logs.join('\n')).toContain(answer.json.error?.requestId);
    expect(broken.logs.join('\n')).not.toContain('sql-canary');
    await broken.close();
  });

  it('503 on /readyz when something is not ready, with the reason', async () => {
    const checks = [{ name: 'journal', ok: false, reason: 'the disk is full' }];
    const unready = await startAdminWorld(await openTestStore(), {
      readiness: async () => ({ ok: false, checks }),
    });
    const answer = await unready.call('/readyz');
    expect([answer.status, answer.json]).toEqual([503, { ok: false, checks }]);
    expect((await unready.call('/healthz')).status).toBe(200);
    await unready.close();
  });

  it('never lets a field out that the contract does not name', async () => {
    const leaky = await startAdminWorld(await openTestStore(), {
      priceInfo: () =>
        ({ version: 'v', cards: 1, masterKey: 'leak-canary' }) as { version: string; cards: number },
    });
    const answer = await leaky.call('/api/system', { local: true });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('leak-canary');
    await leaky.close();
  });
});

describe('records of administrative acts', () => {
  it('say who did what with which outcome, for changes and for refusals', async () => {
    const before = world.logs.length;
    const made = await admin('/api/projects', { method: 'POST', body: { slug: 'recorded' } });
    await world.call('/api/projects', { method: 'POST', body: { slug: 'recorded' } });
    await admin('/api/projects');
    const acts = world.logs
      .slice(before)
      .filter((line) => line.includes('administrative act'))
      .map((line) => JSON.parse(line));
    expect(acts).toHaveLength(2);
    expect(acts[0]).toMatchObject({
      method: 'POST',
      route: '/api/projects',
      status: 201,
      requestId: made.headers['x-request-id'],
      address: '127.0.0.1',
    });
    expect(acts[0].keyId).toBeTruthy();
    expect(acts[1]).toMatchObject({ status: 401 });
  });
});
