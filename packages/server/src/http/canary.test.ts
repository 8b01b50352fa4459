import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openEvents } from '@tallygate/testkit/event-client';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, expect, it } from 'vitest';

const CREDENTIAL = 'sk-ant-canary-7Qx2Wm9LpRtVbN4KsD8fGh';
let world: AdminWorld;
beforeAll(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterAll(() => world.close());

/** Uses everything, right and wrong, with planted secrets, and looks for them wherever something comes out. */
it('(TW-14, TW-05) no secret leaves but in the one answer that creates it', async () => {
  const outputs: string[] = [];
  const secrets = new Map<string, string>([
    ['password', OWNER.password],
    ['credential', CREDENTIAL],
  ]);
  const call = async (
    path: string,
    options: Parameters<AdminWorld['call']>[1] = {},
  ): Promise<Record<string, unknown>> => {
    const answer = await world.call(path, options);
    const { 'set-cookie': _cookie, ...headers } = answer.headers;
    outputs.push(`${answer.text} ${JSON.stringify(headers)}`);
    return answer.json;
  };

  const code = world.deps.setup.issue().reveal();
  secrets.set('set-up code', code);
  await call('/api/setup', { body: { code: `${code}x`, ...OWNER } });
  await call('/api/setup', { body: { code, ...OWNER, [code]: 1 } }).then(() => outputs.pop()); // a field's name is repeated on purpose
  await call('/api/setup', { body: { code, ...OWNER } });
  await call('/api/auth/login', { body: { username: OWNER.username, password: `${OWNER.password}x` } });
  await call('/api/auth/login', { body: { username: OWNER.password, password: OWNER.password } });
  const me = await world.signIn();
  secrets.set('cookie', me.cookie.split('=')[1] ?? '');
  secrets.set('csrf', me.csrf);
  const { headers } = me;

  const created = await world.call('/api/keys', { headers, body: { name: 'k', scopes: ['admin', 'read'] } });
  const key = String(created.json.key);
  expect(created.text).toContain(key);
  secrets.set('key', key.slice(10));
  const row = (await world.deps.store.config.listKeys(null))[0];
  secrets.set('key hash', row?.keyHash ?? 'missing');

  const account = await call('/api/accounts', {
    headers,
    body: { provider: 'anthropic', name: 'main', apiKey: CREDENTIAL },
  });
  await call('/api/accounts', { headers, body: { provider: 'anthropic', name: 'main', apiKey: CREDENTIAL } });
  await call('/api/accounts', {
    headers,
    body: { provider: 'anthropic', name: 'x', apiKey: `${CREDENTIAL}\n${CREDENTIAL}` },
  });
  await call('/api/accounts', {
    headers,
    body: {
      provider: 'openai',
      name: 'x',
      apiKey: CREDENTIAL,
      baseUrl: `https://user:${CREDENTIAL}@example.com`,
    },
  });
  await call(`/api/accounts/${account.id}`, {
    headers,
    method: 'PATCH',
    body: { apiKey: CREDENTIAL, priority: 'high' },
  });
  await call(`/api/accounts/${account.id}`, { headers, method: 'PATCH', body: { apiKey: CREDENTIAL } });
  await call(`/api/accounts/${account.id}/test`, { headers, method: 'POST' });
  const sealed = (await world.deps.store.config.listAccounts(null))[0]?.sealedCredential ?? 'missing';
  secrets.set('sealed credential', sealed);
  expect(sealed).not.toContain(CREDENTIAL);

  await world.deps.store.ledger.commit([sampleSettled('r1', { startedAtMs: world.clock.ms })], {
    nodeId: 'n',
    committed: { segment: 0, offset: 1 },
    lowWaterSegment: 0,
  });
  for (const path of [
    '/api/keys',
    '/api/accounts',
    '/api/projects',
    '/api/providers',
    '/api/system',
    '/api/requests',
    '/api/requests/r1',
    '/api/auth/me',
    '/api/setup/status',
    '/metrics',
    '/healthz',
    '/readyz',
    '/api/openapi.json',
    '/api/prices/overrides',
    '/',
  ]) {
    await call(path, { headers });
    await call(path, { headers: { authorization: `Bearer ${key}` } });
    await call(path, { headers: { authorization: `Bearer ${key}x` } });
    await call(path, { headers: { 'x-api-key': CREDENTIAL } });
    await call(path, { headers: { cookie: `${me.cookie}x` } });
  }
  await call(`/api/keys/${key}`, { headers, method: 'DELETE' });
  await call(`/api/requests?cursor=${key}&model=${CREDENTIAL}`, { headers });
  await call('/api/keys', { headers, method: 'POST', body: `{"name": "${CREDENTIAL}` });
  const stream = await openEvents(world.port, '/api/requests/stream?after=0', { cookie: me.cookie });
  await stream.next();
  outputs.push(stream.raw(), JSON.stringify(stream.headers));
  stream.close();
  await call('/api/auth/logout', { headers, method: 'POST' });

  expect(world.logs.length).toBeGreaterThan(10);
  const leaks = [...secrets].filter(([, secret]) =>
    [...outputs, ...world.logs].some((text) => text.includes(secret)),
  );
  expect(leaks.map(([name]) => name)).toEqual([]);
});
