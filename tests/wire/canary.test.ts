import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { send } from '@tallygate/testkit/admin-world';
import { canary, filesUnder, Secrets } from '@tallygate/testkit/canary';
import { openEvents } from '@tallygate/testkit/event-client';
import { anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterEach, describe, expect, it } from 'vitest';

const OWNER = { username: 'canary-owner', password: 'Kestrel-canary-password-51' };
const ACCOUNT_NAME = 'account of the canary test';
let world: WireWorld | null = null;
afterEach(async () => {
  await world?.stop();
  world = null;
});

/** Uses the server in every way that takes a secret, right and wrong; gives what came back. */
async function useEverything(gate: WireWorld, secrets: Secrets): Promise<[string, Buffer][]> {
  const { port } = gate.gate;
  const seen: [string, Buffer][] = [];
  const call = async (path: string, options: Parameters<typeof send>[2] = {}) => {
    const answer = await send(port, path, options);
    const { 'set-cookie': _cookie, ...headers } = answer.headers;
    seen.push([`${path} (${answer.status})`, Buffer.from(`${answer.text} ${JSON.stringify(headers)}`)]);
    return answer;
  };
  const login = await send(port, '/api/auth/login', { body: OWNER });
  expect(login.status).toBe(200);
  const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  secrets.plant('session token', cookie.split('=')[1] ?? '');
  const csrf = (await send(port, '/api/auth/csrf', { headers: { cookie } })).json.csrfToken;
  const headers = { cookie, 'x-csrf-token': secrets.plant('CSRF token', String(csrf)) };
  await call('/api/auth/login', { body: { ...OWNER, password: `${OWNER.password}x` } });
  await call('/api/auth/sso/start', { body: {} });
  await call('/api/auth/sso/return?code=x&state=y');

  const rotatable = await gate.gate.addKey({ scopes: ['gateway', 'admin'] });
  secrets.plant('rotated key', rotatable.key.slice(10));
  const { key } = await gate.gate.admin<{ key: string }>('POST', `/api/keys/${rotatable.id}/rotate`, {
    overlapSeconds: 600,
  });
  secrets.plant('renewed key', key.slice(10));
  const credential = secrets.plant('upstream key', `sk-ant-${canary('upstream')}`);
  const account = {
    provider: 'anthropic',
    name: ACCOUNT_NAME,
    apiKey: credential,
    allowPrivateUpstream: true,
  };
  const planted = { ...account, baseUrl: gate.anthropic.url, models: ['planted'] };
  await call('/api/accounts', { headers, body: planted });
  await call('/api/accounts', { headers, body: planted });
  await call('/api/accounts', {
    headers,
    body: { ...planted, baseUrl: `https://u:${credential}@example.com` },
  });
  await call('/api/vault/rotate-data-key', { headers, method: 'POST', body: {} });

  const totp = secrets.plant(
    'TOTP text',
    `otpauth://totp/x?secret=${randomBytes(20).toString('hex').toUpperCase()}`,
  );
  const prompt = secrets.plant('prompt', canary('prompt'));
  const body = {
    ...MESSAGES_BODY,
    model: 'planted',
    messages: [{ role: 'user', content: `${prompt} ${totp}` }],
  };
  const answer = secrets.plant('answer', canary('answer'));
  gate.anthropic.respondOnce(sseThen(anthropicEvents({ text: answer }).slice(0, 5), stall));
  const cut = gate.messages({ ...body, stream: true }, { key });
  await cut.until('content_block_delta');
  cut.leave();
  for (const sent of [key, rotatable.key, `${key}x`, credential, null]) {
    const reply = await gate.messages(body, { key: sent }).answer;
    seen.push([`/v1/messages (${reply.status})`, Buffer.concat([reply.rawHead, reply.body])]);
  }
  const broken = await gate.messages(`{"model":"${prompt}`, { key }).answer;
  seen.push(['broken JSON', broken.body]);
  const target = `/v1/messages/unknown?totp=${encodeURIComponent(totp)}&key=${key}`;
  seen.push(['unknown path', (await gate.get(target, { key }).answer).body]);

  for (const path of [
    '/metrics',
    '/api/system',
    '/api/keys',
    '/api/accounts',
    '/api/vault',
    '/api/requests',
    '/api/openapi.json',
  ]) {
    await call(path, { headers });
    await call(path, { headers: { authorization: `Bearer ${key}` } });
    await call(path, { headers: { 'x-api-key': credential } });
  }
  await call(`/api/requests?cursor=${key}`, { headers });
  await call(`/api/keys/${encodeURIComponent(key)}`, { headers, method: 'DELETE' });
  const stream = await openEvents(port, '/api/requests/stream?after=0', { cookie });
  await stream.next();
  seen.push(['live feed', Buffer.from(stream.raw())]);
  stream.close();
  return seen;
}

describe('planted secrets (TW-14)', () => {
  it.each(['debug', 'info', 'warn', 'error'])(
    'are in no file, log line, metric, event, answer or backup at log level %s',
    { timeout: 120_000 },
    async (level) => {
      const secrets = new Secrets();
      const masterKey = randomBytes(32);
      const environmentKey = secrets.plant('environment key', canary('environment-key'));
      secrets.plant('password', OWNER.password);
      secrets.plant('master key', masterKey);
      world = await startWireWorld({
        config: {
          TALLYGATE_LOG_LEVEL: level,
          TALLYGATE_MASTER_KEY: masterKey.toString('base64'),
          TALLYGATE_API_KEY: environmentKey,
          OIDC_ISSUER: 'http://localhost:9',
          OIDC_CLIENT_ID: 'canary',
          OIDC_DEFAULT_ROLE: 'viewer',
          OIDC_CLIENT_SECRET: secrets.plant('client secret of the provider', canary('oidc-client')),
          DASHBOARD_USERNAME: OWNER.username,
          DASHBOARD_PASSWORD: OWNER.password,
        },
      });
      const { gate } = world;
      secrets.plant('client key', gate.key.slice(10));
      const seen = await useEverything(world, secrets);
      const newMasterKey = randomBytes(32);
      secrets.plant('new master key', newMasterKey);
      await gate.admin('POST', '/api/vault/rotate-master-key', { newKey: newMasterKey.toString('hex') });
      await gate.untilRows(3);
      await gate.admin('POST', '/api/backup', { path: join(gate.dataDir, 'canary.backup') });

      const files = await filesUnder(gate.dataDir);
      const names = files.map(([name]) => name).join(' ');
      for (const kind of ['tallygate.db', '-wal', 'journal', 'canary.backup']) expect(names).toContain(kind);
      const places: [string, Buffer][] = [...seen, ...files, ['the log', Buffer.from(gate.output())]];
      expect(secrets.in(places)).toEqual([]);
      // The search finds what is there: a name is stored readable, in the database and in the backup.
      const control = new Secrets();
      control.plant('name', ACCOUNT_NAME);
      expect(control.in(files).join()).toMatch(/canary\.backup/);
      expect(control.in(files).join()).toMatch(/tallygate\.db/);
    },
  );
});
