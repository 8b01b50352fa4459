import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ImportReport } from '@tallygate/contract/api/imports';
import type { TotalsView } from '@tallygate/contract/api/usage';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';

const target = await postgresTarget();
afterAll(() => target.cleanUp());

let dir: string;
let provider: FakeOauth;
let gate: Gate;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tallygate-import-'));
  provider = await startFakeOauth();
  gate = await startGate({
    config: {
      TALLYGATE_OAUTH_ACCOUNTS: 'true',
      TALLYGATE_OAUTH_TOKEN_URL: provider.tokenUrl,
      TALLYGATE_OAUTH_CLIENT_ID: 'my-own-client',
      EGRESS_ALLOW_HOSTS: '127.0.0.1',
    },
  });
});
afterEach(async () => {
  await gate.stop();
  await provider.stop();
  await rm(dir, { recursive: true, force: true });
});

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const all = [...args, '--json', '--data-dir', gate.dataDir];
  const { code, stdout, stderr } = await runCliProcess(['import', ...all], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { report: JSON.parse(stdout) as ImportReport & { dryRun: boolean }, stdout };
}
const counts = ({ accounts, keys, events }: ImportReport) =>
  [accounts, keys, events].map((one) => [one.added, one.present, one.skipped.length]);
const accountsOf = async () =>
  (await gate.admin<{ accounts: Record<string, unknown>[] }>('GET', '/api/accounts')).accounts;
const totals = async () => {
  const day = 'from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z';
  return (
    await gate.admin<{ totals: Pick<TotalsView['totals'], 'requests' | 'errors' | 'costUsd'> }>(
      'GET',
      `/api/usage/totals?${day}`,
    )
  ).totals;
};

/** A database as ccflare makes it, with the columns that its documentation names. */
function ccflareDatabase(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`
    create table accounts (id text primary key, name text, provider text, api_key text, refresh_token text not null,
      access_token text, expires_at integer, created_at integer, last_used integer, request_count integer,
      total_requests integer, account_tier integer, rate_limited_until integer, session_start integer,
      session_request_count integer, paused integer, rate_limit_reset integer, rate_limit_status text,
      rate_limit_remaining integer);
    create table requests (id text primary key, timestamp integer, method text, path text, account_used text,
      status_code integer, success integer, error_message text, response_time_ms integer, failover_attempts integer,
      model text, prompt_tokens integer, completion_tokens integer, total_tokens integer, cost_usd real,
      output_tokens_per_second real, input_tokens integer, cache_read_input_tokens integer,
      cache_creation_input_tokens integer, output_tokens integer, agent_used text);
    create table request_payloads (id text primary key, json text);`);
  const account = database.prepare(
    'insert into accounts (id, name, provider, api_key, refresh_token, access_token, expires_at, account_tier, paused) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const { refreshToken } = provider.issue();
  account.run(
    'a-oauth',
    'max',
    'anthropic',
    null,
    refreshToken,
    'sk-ant-oat01-readable',
    1_700_000_000_000,
    20,
    0,
  );
  account.run('a-key', 'max', 'anthropic', 'sk-ant-api03-readable-key-0001', '', null, null, 1, 1);
  account.run('a-none', 'broken', 'anthropic', null, '', null, null, 1, 0);
  const request = database.prepare(
    'insert into requests (id, timestamp, account_used, status_code, success, response_time_ms, model, cost_usd, input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const at = Date.UTC(2026, 2, 3, 12);
  for (let i = 0; i < 1_203; i++)
    request.run(
      `r${i}`,
      at + i * 1000,
      'a-oauth',
      200,
      1,
      1500,
      'claude-sonnet-4-5',
      0.5,
      100,
      2000,
      300,
      50,
    );
  request.run('failed', at, 'a-key', 529, 0, null, null, 0, null, null, null, null);
  database.close();
}

describe('import ccflare (X-01)', () => {
  it('says what would come, brings it once, sealed and priced anew', async () => {
    const path = join(dir, 'ccflare.db');
    ccflareDatabase(path);
    const dry = await run(['ccflare', path, '--dry-run']);
    const expected = [
      [2, 0, 1],
      [0, 0, 0],
      [1_204, 0, 0],
    ];
    expect([dry.report.dryRun, counts(dry.report)]).toEqual([true, expected]);
    expect(await accountsOf()).toEqual([]);
    const first = await run(['ccflare', path]);
    expect(counts(first.report)).toEqual(expected);
    expect(first.report.accounts.skipped[0]).toMatchObject({ ref: 'a-none' });
    expect(first.stdout).not.toContain('readable');
    const accounts = await accountsOf();
    expect(accounts).toMatchObject([
      { name: 'max', weight: 20, paused: false, oauth: {} },
      { name: 'max (ccflare)', weight: 1, paused: true, oauth: null, credentialHint: '0001' },
    ]);
    expect(JSON.stringify(accounts)).not.toContain('readable');
    // 100 × $3 + 2,000 × $0.30 + 300 × $3.75 + 50 × $15, per million.
    const day = await totals();
    expect(day).toMatchObject({ requests: 1_204, errors: 1, costUsd: String((1_203 * 2775) / 1e6) });
    const again = await run(['ccflare', path]);
    expect(counts(again.report)).toEqual([
      [0, 2, 1],
      [0, 0, 0],
      [0, 1_204, 0],
    ]);
    expect((await totals()).requests).toBe(1_204);
    // Its token had ended long ago: the gate gets a new one by itself.
    await eventually('the tokens are renewed', () => provider.refreshes() === 1 || null);
  });

  it('leaves out and names rows that make no sense, and takes over the others', async () => {
    const path = join(dir, 'ccflare.db');
    ccflareDatabase(path);
    const database = new DatabaseSync(path);
    database.exec(`
      update accounts set expires_at = 9007199254740993 where id = 'a-oauth';
      update requests set output_tokens = 9223372036854775807 where id = 'r7';
      update requests set input_tokens = 2000000000000 where id = 'r8';
      update requests set timestamp = 9007199254740993 where id = 'r9';
      update requests set timestamp = 253402300800000, response_time_ms = 0 where id = 'r10';
      insert into requests (rowid, id, timestamp, success) values (9007199254740995, 'far', 1772539200000, 1);`);
    database.close();
    const { report } = await run(['ccflare', path]);
    expect(counts(report)).toEqual([
      [2, 0, 1],
      [0, 0, 0],
      [1_201, 0, 4],
    ]);
    expect(report.events.skipped).toEqual([
      { ref: 'r7', reason: 'has a "tokens.outputVisible" that makes no sense' },
      { ref: 'r8', reason: 'has a "tokens.inputUncached" that makes no sense' },
      { ref: 'r9', reason: 'has no id or no time' },
      { ref: 'r10', reason: 'has no id or no time' },
    ]);
  });

  it('refuses what is no such database, and changes nothing of it', async () => {
    const path = join(dir, 'other.db');
    new DatabaseSync(path).close();
    const { code, stderr } = await runCliProcess(['import', 'ccflare', path, '--data-dir', gate.dataDir]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('no table "accounts"')]);
    const missing = await runCliProcess([
      'import',
      'ccflare',
      join(dir, 'none.db'),
      '--data-dir',
      gate.dataDir,
    ]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('cannot be opened')]);
  });
});

const clients: pg.Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
});
async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  clients.push(client);
  return client;
}

/** The table that claude-nexus-proxy stores requests in, by its documentation. */
const NEXUS_TABLE = `create table api_requests (request_id uuid primary key, domain varchar(255) not null, account_id varchar(100),
  timestamp timestamptz not null, method varchar(10), path varchar(255), headers jsonb, body jsonb, api_key_hash varchar(50),
  model varchar(100), request_type varchar(50), response_status integer, response_headers jsonb, response_body jsonb,
  response_streaming boolean default false, input_tokens integer default 0, output_tokens integer default 0,
  total_tokens integer default 0, cache_creation_input_tokens integer default 0, cache_read_input_tokens integer default 0,
  usage_data jsonb, first_token_ms integer, duration_ms integer, error text, tool_call_count integer default 0,
  conversation_id uuid, branch_id varchar(255) default 'main', message_count integer default 0, created_at timestamptz default now())`;

describe.skipIf(target.skipped !== null)('import nexus (X-01)', () => {
  it('brings domains with their accounts and keys, and the history with the lives of cache writes', async () => {
    const credentials = join(dir, 'credentials');
    await mkdir(credentials);
    const file = (name: string, content: unknown) =>
      writeFile(join(credentials, name), typeof content === 'string' ? content : JSON.stringify(content));
    const key = { type: 'api_key', accountId: 'acc-1', api_key: 'sk-ant-api03-readable-key-0002' };
    await file('team-a.example.com.credentials.json', {
      ...key,
      client_api_key: 'cnp_live_aaaaaaaaaaaaaaaaaaaa',
    });
    await file('localhost:3000.credentials.json', { ...key, client_api_key: 'cnp_live_short' });
    await file('team-b.example.com.credentials.json', {
      type: 'oauth',
      accountId: 'acc-2',
      oauth: { ...provider.issue(), expiresAt: Date.now() + 3_600_000, scopes: ['x'], isMax: true },
      client_api_key: 'cnp_live_bbbbbbbbbbbbbbbbbbbb',
      slack: { webhook_url: 'https://hooks.example/x' },
    });
    await file('broken.credentials.json', '{"type":"api_key","api_key":7,"secret":"sk-ant-spilt"}');
    await file('notes.txt', 'nothing');
    const url = await target.fresh();
    const client = await connected(url);
    await client.query(NEXUS_TABLE);
    const usage = { cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 } };
    await client.query(
      `insert into api_requests (request_id, domain, account_id, timestamp, model, response_status, response_streaming,
         input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, usage_data, first_token_ms,
         duration_ms, error, conversation_id)
       select gen_random_uuid(), 'Team-A.example.com', 'acc-1', '2026-03-03T00:00:00Z'::timestamptz + (i / 3) * interval '1 second',
         'claude-sonnet-4-5', case when i = 0 then 500 else 200 end, true, 10, 20, 300, 400, $1::jsonb, 250, 2500, null,
         '6f2f6f3e-9d7c-4d5a-8a45-111111111111' from generate_series(0, 1099) i`,
      [usage],
    );
    const env = { NEXUS_DB: url };
    const args = ['nexus', credentials, '--database-url-env', 'NEXUS_DB'];
    const dry = await run([...args, '--dry-run'], env);
    const { report, stdout } = await run(args, env);
    expect(counts(report)).toEqual(counts(dry.report));
    expect(counts(report)).toEqual([
      [2, 0, 1],
      [2, 0, 1],
      [1_100, 0, 0],
    ]);
    expect(stdout).not.toMatch(/readable|spilt|cnp_live/);
    expect(report.accounts.skipped).toEqual([
      { ref: 'broken.credentials.json', reason: 'has no usable "api_key"' },
    ]);
    const { requests } = await gate.admin<{ requests: Record<string, unknown>[] }>(
      'GET',
      '/api/requests?limit=1&project=team-a-example-com',
    );
    expect(requests[0]).toMatchObject({
      source: 'import-nexus',
      latencyMs: 2500,
      ttftMs: 250,
      tokens: { inputUncached: 10, cacheWrite5m: 100, cacheWrite1h: 200, cacheRead: 400, outputVisible: 20 },
    });
    expect(await totals()).toMatchObject({
      requests: 1_100,
      errors: 1,
      costUsd: '2.2275', // (10 × $3 + 20 × $15 + 400 × $0.30 + 100 × $3.75 + 200 × $6) × 1,100 per million
    });
    // The second time with the address on the command line, as other tools take it.
    expect(counts((await run(['nexus', credentials, url])).report)).toEqual([
      [0, 2, 1],
      [0, 2, 1],
      [0, 1_100, 0],
    ]);
    const { rows } = await client.query('select count(*)::int as count from api_requests');
    expect(rows).toEqual([{ count: 1_100 }]);
    // The keys of clients go on working.
    for (const { id } of await accountsOf()) await gate.pauseAccount(String(id), true);
    const send = (credential: string) =>
      rawCall(
        gate.port,
        requestBytes({
          path: '/v1/messages',
          headers: [
            ['content-type', 'application/json'],
            ['authorization', `Bearer ${credential}`],
          ],
          body: JSON.stringify(MESSAGES_BODY),
        }),
      ).answer;
    expect((await send('cnp_live_bbbbbbbbbbbbbbbbbbbb')).status).toBe(503); // known; the accounts are paused
    expect((await send('cnp_live_cccccccccccccccccccc')).status).toBe(401);
  });
});
