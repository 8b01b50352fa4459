import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresEngine } from '@tallygate/server/store/postgres/engine';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const target = await postgresTarget();
/** Roles belong to the server and not to a database, so the name is this run's own. */
const ROLE = `tallygate_run_${process.pid}_${randomBytes(4).toString('hex')}`;

describe.skipIf(target.skipped !== null)('a role that only runs the server', { timeout: 120_000 }, () => {
  let folder: string;
  let ownerUrl = '';
  let roleUrl = '';
  let upstream: FakeUpstream;
  let gate: Gate;

  async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }
  async function cli(...args: string[]): Promise<string> {
    const env = { DB_URL: ownerUrl };
    const all = ['store', ...args, '--data-dir', join(folder, 'cli')];
    const { code, stdout, stderr } = await runCliProcess(all, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallygate-role-'));
    ownerUrl = await target.fresh();
    const url = new URL(ownerUrl);
    url.username = ROLE;
    roleUrl = url.href;
    expect(JSON.parse(await cli('migrate', '--json')).applied.length).toBeGreaterThan(20);
    expect(JSON.parse(await cli('migrate', '--json')).applied).toEqual([]);
    const sql = await cli('grant-role', ROLE);
    await query(ownerUrl, sql);
    await query(ownerUrl, sql); // it may be run again
    upstream = await startFakeUpstream(anthropicApi());
    gate = await startGate({
      config: { DB_URL: roleUrl, TALLYGATE_MASTER_KEY: randomBytes(32).toString('hex') },
      accounts: [{ provider: 'anthropic', baseUrl: upstream.url }],
    });
  }, 120_000);
  afterAll(async () => {
    await gate?.stop();
    await upstream?.stop();
    await query(ownerUrl, `drop owned by ${ROLE}; drop role ${ROLE}`).catch(() => undefined);
    await target.cleanUp();
    await rm(folder, { recursive: true, force: true });
  });

  it('serves, counts, keeps its log, sums anew and makes a backup (WT-09)', async () => {
    const { answer } = rawCall(
      gate.port,
      requestBytes({
        path: '/v1/messages',
        headers: [
          ['content-type', 'application/json'],
          ['anthropic-version', '2023-06-01'],
          ['x-api-key', gate.key],
        ],
        body: JSON.stringify(MESSAGES_BODY),
      }),
    );
    expect((await answer).status).toBe(200);
    await eventually('it is in the ledger', async () => {
      const rows = await query(roleUrl, 'select count(*)::int as n from usage_event');
      return rows[0]?.n === 1;
    });
    expect(await gate.admin('POST', '/api/rollups/rebuild', {})).toMatchObject({ events: 1 });
    expect(await gate.admin('POST', '/api/audit/verify', {})).toMatchObject({ ok: true });
    const path = join(folder, 'copy.backup');
    expect(await gate.admin('POST', '/api/backup', { path })).toMatchObject({ events: 1 });
    await gate.admin('POST', '/api/workspaces', { slug: 'second', name: 'Second' });
  });

  it.each([
    'create table mine (id int)',
    'create temporary table mine (id int)',
    'create schema mine',
    'drop table usage_event',
    'truncate usage_event',
    'alter table app_user add column extra text',
    'create index mine on app_user (username)',
    'create or replace function count_config_changes() returns trigger language plpgsql as $$ begin return null; end $$',
    'drop trigger api_key_config_rows on api_key',
    'delete from audit_entry',
    "update audit_entry set actor_name = 'somebody else'",
    'delete from schema_migration',
    'create role mine',
  ])('may not %s', async (statement) => {
    await expect(query(roleUrl, statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('reaches the tables of a later migration, and says what to do while that has not run (WT-12)', async () => {
    await query(ownerUrl, 'create table later (id int)');
    expect(await query(roleUrl, 'select * from later')).toEqual([]);
    await query(ownerUrl, 'drop table later');
    const [last] = await query(
      ownerUrl,
      'delete from schema_migration where version = (select max(version) from schema_migration) returning *',
    );
    const store = await postgresEngine.open(roleUrl, { role: 'main' });
    try {
      await expect(store.migrate()).rejects.toThrow(/may not change tables.*tallygate store migrate/);
    } finally {
      await store.close();
      const { version, name, applied_at_ms: atMs } = last ?? {};
      await query(ownerUrl, `insert into schema_migration values (${version}, '${name}', ${atMs})`);
    }
  });

  it('is named plainly, and asked of an engine that has roles', async () => {
    for (const [role, env] of [
      ['Gate; drop table x', { DB_URL: ownerUrl }],
      ['gate_run', {}],
    ] as const) {
      const args = ['store', 'grant-role', role, '--data-dir', join(folder, 'cli')];
      const { code, stdout, stderr } = await runCliProcess(args, { env });
      expect([code !== 0, stdout]).toEqual([true, '']);
      expect(stderr).toMatch(/plain name|has no roles/);
    }
  });
});
