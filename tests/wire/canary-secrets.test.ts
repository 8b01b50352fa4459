import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OauthSessionView } from '@tallygate/contract/api/oauth';
import { send } from '@tallygate/testkit/admin-world';
import { canary, filesUnder, Secrets } from '@tallygate/testkit/canary';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { postgresTarget } from '@tallygate/testkit/store-target';
import pg from 'pg';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

const OWNER = { username: 'owner', password: 'a-throwaway-Passphrase-91' };
const CONTROL = 'channel of the canary test';
const target = await postgresTarget();
const redisFound = redisTarget();
afterAll(() => target.cleanUp());

let gate: Gate | null = null;
let provider: FakeOauth | null = null;
let redis: PrivateRedis | null = null;
let scratch: string | null = null;
afterEach(async () => {
  await gate?.stop();
  await provider?.stop();
  await redis?.stop();
  if (scratch !== null) await rm(scratch, { recursive: true, force: true });
  [gate, provider, redis, scratch] = [null, null, null, null];
});

type Seen = [place: string, bytes: Buffer][];

/** Secrets of every kind that people and programs give, used rightly and where they do not belong. */
async function useSecrets(made: Gate, secrets: Secrets, oauth: FakeOauth): Promise<Seen> {
  const seen: Seen = [];
  const note = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const { status, json } = await made.adminRequest(method, path, body);
    seen.push([`${method} ${path} (${status})`, Buffer.from(JSON.stringify(json ?? null))]);
    return (json ?? {}) as Record<string, unknown>;
  };
  await plantChannels(note, secrets);

  const clientSecret = secrets.plant('secret of an OAuth client', canary('oauth-client'));
  const account = {
    provider: 'anthropic',
    name: 'signed in',
    baseUrl: oauth.url,
    allowPrivateUpstream: true,
  };
  const begun = await made.admin<OauthSessionView>('POST', '/api/oauth/sessions', {
    termsRead: true,
    account,
    client: { clientSecret },
  });
  const back = await oauth.agree(begun.authorizeUrl);
  secrets.plant('authorization code', back.searchParams.get('code') ?? '');
  const completed = { sessionId: begun.sessionId, code: back.href };
  expect((await note('POST', '/api/oauth/complete', completed)).name).toBe('signed in');
  await note('POST', '/api/oauth/complete', completed); // it is used up
  for (const { fields } of oauth.calls)
    if (fields.code_verifier) secrets.plant('PKCE verifier', fields.code_verifier);
  for (const token of oauth.given()) secrets.plant('OAuth token', token);

  const link = await made.admin<{ path: string }>('POST', '/api/invitations', { role: 'viewer' });
  const code = secrets.plant('code of an invitation', link.path.split('code=')[1] ?? '');
  await note('POST', '/api/entry/look', { code: `${code}x` });
  await note('POST', `/api/entry/accept?code=${code}`, { code });
  seen.push(...(await enrol(made, secrets)));
  for (const path of [
    '/api/alerts/channels',
    '/api/alerts/deliveries',
    '/api/accounts',
    '/api/invitations',
    '/api/users',
    '/api/sessions',
    '/api/system',
    '/api/security/network',
    '/api/security/sso',
    '/api/security/overview',
    '/api/incident/export',
    '/api/audit?limit=500',
    '/api/vault',
  ])
    await note('GET', path);
  const { key } = await made.addKey({ scopes: ['read'] });
  const metrics = await send(made.port, '/metrics', { headers: { 'x-api-key': key } });
  expect(metrics.status).toBe(200);
  return [...seen, ['metrics', Buffer.from(metrics.text)]];
}

type Note = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;

async function plantChannels(note: Note, secrets: Secrets): Promise<void> {
  const key = randomBytes(32);
  secrets.plant('signing key of a webhook', key);
  const mail = {
    kind: 'email',
    host: '127.0.0.1',
    port: 9,
    security: 'none',
    from: 'a@example.com',
    to: ['b@example.com'],
  };
  const targets = [
    { kind: 'webhook', url: 'http://127.0.0.1:9/in', signingSecret: `whsec_${key.toString('base64')}` },
    {
      kind: 'slack',
      url: `https://127.0.0.1:9/services/${secrets.plant('address of Slack', canary('slack'))}`,
    },
    { ...mail, username: 'u', password: secrets.plant('password of SMTP', canary('smtp')) },
    { kind: 'pagerduty', routingKey: secrets.plant('key of PagerDuty', randomBytes(16).toString('hex')) },
  ];
  for (const [index, target] of targets.entries()) {
    const body = { name: `${CONTROL} ${index}`, allowPrivate: true, target };
    const { id } = await note('POST', '/api/alerts/channels', body);
    await note('POST', '/api/alerts/channels', body); // the name is taken
    await note('PATCH', `/api/alerts/channels/${id}`, { target: { ...target, more: 1 } });
    await note('POST', `/api/alerts/channels/${id}/test`);
  }
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
function fromBase32(text: string): Buffer {
  const bits = [...text].map((char) => BASE32.indexOf(char).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The seed of an authenticator app, and wrong codes for it. */
async function enrol({ port }: Gate, secrets: Secrets): Promise<Seen> {
  const login = await send(port, '/api/auth/login', { body: OWNER });
  const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const csrf = String((await send(port, '/api/auth/csrf', { headers: { cookie } })).json.csrfToken);
  const headers = { cookie, 'x-csrf-token': csrf };
  const offer = await send(port, '/api/auth/second-factor/offer', {
    headers,
    body: { password: OWNER.password },
  });
  const seed = String(offer.json.secret);
  secrets.plant('seed of an app', seed);
  secrets.plant('seed of an app, as bytes', fromBase32(seed));
  const wrong = await send(port, '/api/auth/second-factor/confirm', {
    headers,
    body: { code: seed.slice(0, 32) },
  });
  const status = await send(port, '/api/auth/second-factor', { headers });
  const passkeys = await send(port, '/api/auth/passkey/ask', {
    headers: { ...headers, host: `localhost:${port}` },
    body: {},
  });
  return [wrong, status, passkeys].map(({ text }, index) => [`second factor ${index}`, Buffer.from(text)]);
}

/** What the command line prints and writes, with the same settings as the server. */
async function commands(made: Gate, env: Record<string, string>): Promise<Seen> {
  scratch = await mkdtemp(join(tmpdir(), 'tallygate-canary-'));
  const seen: Seen = [];
  for (const args of [
    ['config', 'explain', '--json'],
    ['config', 'explain'],
    ['doctor', '--json'],
    ['security-check', '--offline', '--json'],
    ['channels', 'list', '--json'],
    ['accounts', 'list', '--json'],
    ['users', 'list', '--json'],
    ['audit', 'list', '--json'],
    ['incident', 'export', join(scratch, 'incident')],
  ]) {
    const { stdout, stderr } = await runCliProcess([...args, '--data-dir', made.dataDir], { env });
    expect([args.join(' '), stdout.length > 20]).toEqual([args.join(' '), true]);
    seen.push([`tallygate ${args.slice(0, 3).join(' ')}`, Buffer.from(stdout + stderr)]);
  }
  return [...seen, ...(await filesUnder(scratch))];
}

/** Every row of every table, as text. */
async function rowsOf(url: string): Promise<Seen> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("select tablename from pg_tables where schemaname = 'public'");
    const seen: Seen = [];
    for (const { tablename } of rows as { tablename: string }[]) {
      const found = await client.query(`select t::text as text from "${tablename}" t`);
      const text = (found.rows as { text: string }[]).map((row) => row.text).join('\n');
      seen.push([`table ${tablename}`, Buffer.from(text)]);
    }
    return seen;
  } finally {
    await client.end();
  }
}

async function start(
  secrets: Secrets,
  config: Record<string, string>,
): Promise<[Gate, Record<string, string>]> {
  provider = await startFakeOauth();
  const env = {
    TALLYGATE_LOG_LEVEL: 'debug',
    TALLYGATE_OAUTH_ACCOUNTS: 'true',
    TALLYGATE_OAUTH_AUTHORIZE_URL: provider.authorizeUrl,
    TALLYGATE_OAUTH_TOKEN_URL: provider.tokenUrl,
    TALLYGATE_OAUTH_CLIENT_ID: 'my-own-client',
    TALLYGATE_OAUTH_REDIRECT_URI: 'http://127.0.0.1:9/callback',
    DASHBOARD_SESSION_SECRET: secrets.plant('session secret', canary('session-secret')),
    ...config,
  };
  gate = await startGate({ config: env });
  return [gate, env];
}

describe('planted secrets of channels, sign-ins and settings (TW-14, X-06)', { timeout: 240_000 }, () => {
  it('SQLite: in no file, log line, answer, export or output of a command', async () => {
    const secrets = new Secrets();
    const [made, env] = await start(secrets, {});
    const seen = await useSecrets(made, secrets, provider as FakeOauth);
    seen.push(...(await commands(made, env)));
    await made.admin('POST', '/api/backup', { path: join(made.dataDir, 'canary.backup') });
    const files = await filesUnder(made.dataDir);
    expect(secrets.in([...seen, ...files, ['the log', Buffer.from(made.output())]])).toEqual([]);
    const control = new Secrets();
    control.plant('name', CONTROL);
    const found = control.in([...seen, ...files]).join();
    for (const place of ['tallygate.db', 'canary.backup', 'tallygate channels list', 'incident'])
      expect(found).toContain(place);
  });

  it.skipIf(target.skipped !== null || redisFound.skipped !== null)(
    'PostgreSQL and Redis: nor are the passwords in their addresses, also when they cannot be reached',
    async () => {
      const secrets = new Secrets();
      redis = await redisFound.start();
      const password = secrets.plant('password of Redis', canary('redis'));
      await redis.command('CONFIG', 'SET', 'requirepass', password);
      const dbUrl = new URL(await target.fresh());
      dbUrl.password = secrets.plant('password of PostgreSQL', canary('postgres'));
      const [made, env] = await start(secrets, {
        DB_URL: dbUrl.href,
        REDIS_URL: `redis://:${password}@127.0.0.1:${redis.port}`,
        TALLYGATE_MASTER_KEY: secrets.plant('master key', randomBytes(32).toString('hex')),
      });
      const seen = await useSecrets(made, secrets, provider as FakeOauth);
      seen.push(...(await commands(made, env)), ...(await rowsOf(dbUrl.href)));
      await redis.kill();
      const down = new URL(dbUrl.href);
      down.port = '9';
      const failed = await runCliProcess(['doctor', '--json', '--data-dir', `${made.dataDir}x`], {
        env: { ...env, DB_URL: down.href },
      });
      seen.push(['doctor without a database', Buffer.from(failed.stdout + failed.stderr)]);
      const files = await filesUnder(made.dataDir);
      expect(secrets.in([...seen, ...files, ['the log', Buffer.from(made.output())]])).toEqual([]);
      const control = new Secrets();
      control.plant('name', CONTROL);
      expect(control.in(seen).join()).toContain('table alert_channel');
    },
  );
});
