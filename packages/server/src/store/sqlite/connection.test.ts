import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { usageEvent } from '@tallygate/testkit/usage-events';
import { afterEach, describe, expect, it } from 'vitest';
import { GRAINS } from '../../accounting/rollup.ts';
import { migrate, schemaVersionOf } from '../migrations/migrate.ts';
import type { Migration } from '../migrations/migration.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { openDatabase, parseSqliteUrl } from './connection.ts';
import { sqliteEngine } from './engine.ts';

const target = sqliteTarget();
afterEach(() => target.cleanUp());

const OPTIONS = { readOnly: false, synchronous: 'NORMAL', cacheMib: 4 } as const;
const pathOf = (url: string): string => parseSqliteUrl(url).path;
const checkpoint = { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 1 };

describe('store URL', () => {
  it('names an absolute or relative file, and how safe a commit is', () => {
    expect(parseSqliteUrl('sqlite:/var/a b.db')).toEqual({ path: '/var/a b.db', synchronous: 'NORMAL' });
    expect(parseSqliteUrl('sqlite:///var/x.db')).toEqual({ path: '/var/x.db', synchronous: 'NORMAL' });
    expect(parseSqliteUrl('sqlite:x.db?synchronous=full')).toEqual({
      path: join(process.cwd(), 'x.db'),
      synchronous: 'FULL',
    });
  });

  it.each(['sqlite:', 'sqlite::memory:', 'sqlite:/x?synchronous=off', 'sqlite:/x?sync=full'])(
    'refuses %s',
    (url) => {
      expect(() => parseSqliteUrl(url)).toThrow(/^The store URL/);
    },
  );
});

describe('the file', () => {
  it('belongs to its owner alone, with its log', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'main' });
    await store.migrate();
    for (const suffix of ['', '-wal', '-shm'])
      expect(statSync(pathOf(url) + suffix).mode & 0o777).toBe(0o600);
    await store.close();
    expect(existsSync(`${pathOf(url)}-wal`)).toBe(false);
  });

  it('that is no database, or damaged, is refused with a reason in words', async () => {
    for (const role of ['main', 'ledger'] as const) {
      const url = await target.fresh();
      writeFileSync(pathOf(url), 'not a database, but quite long enough to be mistaken for one'.repeat(200));
      await expect(sqliteEngine.open(url, { role })).rejects.toThrow(/is not an SQLite database/);
    }
  });

  it('that cannot be made is refused with a reason in words', async () => {
    const directory = await target.directory();
    writeFileSync(join(directory, 'file'), '');
    await expect(sqliteEngine.open(`sqlite:${directory}/file/x.db`, { role: 'main' })).rejects.toThrow(
      /cannot be used/,
    );
    if (process.getuid?.() === 0) return; // root may write everywhere
    chmodSync(directory, 0o500);
    await expect(sqliteEngine.open(`sqlite:${directory}/x.db`, { role: 'main' })).rejects.toThrow(
      /cannot be used/,
    );
    chmodSync(directory, 0o700);
  });

  it('waits for another writer without holding up its readers', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'main' });
    await store.migrate();
    await store.config.setSetting('a', '1');
    const db = new DatabaseSync(pathOf(url));
    db.exec('begin immediate'); // somebody else holds the file: the writer waits
    const waiting = Array.from({ length: 3 }, (_, index) => store.config.setSetting('a', String(index)));
    expect(await store.config.getSetting('a')).toBe('1'); // readers do not
    db.exec('commit');
    db.close();
    await Promise.all(waiting);
    expect(await store.config.getSetting('a')).toBe('2');
    await store.close();
  });

  it('is written by many calls at once without mixing their transactions', async () => {
    const store = await sqliteEngine.open(await target.fresh(), { role: 'main' });
    await store.migrate();
    const commits = Array.from({ length: 20 }, (_, index) =>
      store.ledger.commit([usageEvent(), usageEvent()], { ...checkpoint, nodeId: `n${index}` }),
    );
    const settings = Array.from({ length: 20 }, (_, index) => store.config.setSetting(`s${index}`, 'x'));
    await Promise.all([...commits, ...settings]);
    expect(await store.usage.committedAfter(0, 100)).toHaveLength(40);
    expect((await store.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    await store.close();
  });
});

describe('migrations (WT-12)', () => {
  const failing: Migration = {
    version: (MIGRATIONS.at(-1)?.version ?? 0) + 1,
    name: 'half done',
    async up(db) {
      await db.schema.createTable('half').addColumn('id', 'integer').execute();
      await db.deleteFrom('setting').execute();
      await db.schema.createTable('setting').addColumn('id', 'integer').execute(); // exists: fails
    },
  };

  it('that fail leave schema and data as they were, and say so', async () => {
    const database = openDatabase(pathOf(await target.fresh()), OPTIONS);
    await migrate(database, MIGRATIONS, 1);
    await database.kysely.insertInto('setting').values({ name: 'a', value: 'b' }).execute();
    await expect(migrate(database, [...MIGRATIONS, failing], 2)).rejects.toThrow(
      /Migration \d+ \(half done\) failed.*Nothing was changed/,
    );
    expect(await schemaVersionOf(database)).toBe(MIGRATIONS.at(-1)?.version);
    expect(await database.dialect.tableExists(database.kysely, 'half')).toBe(false);
    expect(await database.kysely.selectFrom('setting').selectAll().execute()).toEqual([
      { name: 'a', value: 'b' },
    ]);
    await database.close();
  });

  it('refuse a schema that is newer than the program', async () => {
    const database = openDatabase(pathOf(await target.fresh()), OPTIONS);
    await migrate(database, MIGRATIONS, 1);
    await database.kysely
      .insertInto('schema_migration')
      .values({ version: 99, name: 'future', applied_at_ms: 1 })
      .execute();
    await expect(migrate(database, MIGRATIONS, 2)).rejects.toThrow(/version 99.*newer release/);
    await database.close();
  });

  it('are in the order of their numbers', () => {
    const versions = MIGRATIONS.map((migration) => migration.version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  });
});

describe('rollup check', () => {
  it('finds what somebody changed behind its back, and a rebuild repairs it (TW-21)', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'ledger' });
    await store.migrate();
    await store.ledger.commit(
      Array.from({ length: 30 }, () => usageEvent()),
      checkpoint,
    );
    const db = new DatabaseSync(pathOf(url));
    const plant = async (
      statement: string,
    ): Promise<Awaited<ReturnType<typeof store.maintenance.verifyRollups>>> => {
      db.exec(statement);
      return store.maintenance.verifyRollups(null, null);
    };
    const changed = await plant(
      "update rollup_day set cost_nano_usd = cost_nano_usd + 1, latency_bins = '1:30'",
    );
    expect(new Set(changed.differences.map((one) => one.field))).toEqual(new Set(['costNanoUsd', 'latency']));
    expect(changed.differences[0]).toMatchObject({ rollup: '18450001', rows: '18450000' });
    expect(changed.differences[0]?.bucket).toMatch(/^day 2026-11-22T00:00:00.000Z detail\/ws\//);
    await store.maintenance.rebuildRollups(null, null);
    const missing = await plant('delete from rollup_hour');
    expect(missing.differences).toHaveLength(GRAINS.length);
    expect(missing.differences[0]).toMatchObject({ field: 'row', rollup: 'absent', rows: 'present' });
    await store.maintenance.rebuildRollups(null, null);
    const extra = await plant(
      "insert into rollup_day (series_id, bucket_ms, events, latency_bins, ttft_bins) values (1, 1700006400000, 1, '', '')",
    );
    expect(extra.differences).toMatchObject([{ field: 'row', rollup: 'present', rows: 'absent' }]);
    await store.maintenance.rebuildRollups(null, null);
    const wrong = await plant('update account_hour set failed = failed + 7');
    expect(wrong.differences).not.toEqual([]);
    expect(new Set(wrong.differences.map((one) => one.field))).toEqual(new Set(['failed']));
    expect(wrong.differences[0]?.bucket).toMatch(/^account-hour 2026-11-22T\d\d:00:00.000Z /);
    const gone = await plant('delete from account_hour');
    expect(new Set(gone.differences.map(({ rollup }) => rollup))).toEqual(new Set(['absent']));
    await store.maintenance.rebuildRollups(null, null);
    expect((await store.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    db.close();
    await store.close();
  });
});
