import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { usageEvent } from '@tallygate/testkit/usage-events';
import { afterEach, describe, expect, it } from 'vitest';
import { siblingModule } from '../../kernel/sibling-module.ts';
import { BACKUP_TABLES } from '../queries/backup-tables.ts';
import { parseSqliteUrl } from './connection.ts';
import { sqliteEngine } from './engine.ts';

const target = sqliteTarget();
afterEach(() => target.cleanUp());

/** Kills a process as soon as it has begun to write a backup. */
async function killDuringBackup(url: string, directory: string): Promise<NodeJS.Signals | null> {
  const engine = siblingModule(import.meta.url, './engine').href;
  const script = `
    const { sqliteEngine } = await import(${JSON.stringify(engine)});
    const store = await sqliteEngine.open(${JSON.stringify(url)}, { role: 'main' });
    await store.maintenance.backup(${JSON.stringify(join(directory, 'store.backup'))});`;
  const watcher = watch(directory);
  const program = join(await target.directory(), 'backup.mjs'); // a file: threads inherit flags, -e cannot be one
  writeFileSync(program, script);
  const child = spawn(process.execPath, ['--conditions=@tallygate/source', program], { stdio: 'inherit' });
  watcher.on('change', (_kind, name) => {
    if (String(name).includes('.partial-')) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  watcher.close();
  return signal;
}

describe('a backup whose process is killed', () => {
  it('leaves nothing under its name, and the next one is whole (WT-13)', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'ledger' });
    await store.migrate();
    for (let i = 0; i < 10; i++) {
      const batch = Array.from({ length: 500 }, () => usageEvent());
      await store.ledger.commit(batch, {
        nodeId: 'n',
        committed: { segment: 1, offset: i },
        lowWaterSegment: 1,
      });
    }
    const directory = await target.directory();
    expect(await killDuringBackup(url, directory)).toBe('SIGKILL');
    expect(existsSync(join(directory, 'store.backup'))).toBe(false);
    expect(readdirSync(directory)).toHaveLength(1); // what was written so far, under a name that says so
    expect((await store.maintenance.backup(join(directory, 'store.backup'))).events).toBe(5_000);
    await store.close();
  });
});

/** What a restored store begins without: who is signed in, who runs, and how far a journal was read. */
const LEFT_OUT = [
  'job',
  'lease',
  'ledger_checkpoint',
  'node',
  'oauth_session',
  'schema_migration',
  'session',
  'spent_challenge',
  'store_lock',
];

describe('a backup (WT-13)', () => {
  it('has every table and every column that the migrations made, but for those that are left out on purpose', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'main' });
    await store.migrate();
    await store.close();
    const db = new DatabaseSync(parseSqliteUrl(url).path, { readOnly: true });
    const columnsOf = (table: string): string[] =>
      db
        .prepare('select name from pragma_table_info(?) order by name')
        .all(table)
        .map(({ name }) => String(name));
    const made = db
      .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
      .all()
      .map(({ name }) => String(name));
    const kept: string[] = BACKUP_TABLES.map(({ name }) => name);
    expect(made.filter((name) => !kept.includes(name)).sort()).toEqual(LEFT_OUT);
    for (const { name, columns } of BACKUP_TABLES) {
      expect([name, columns.map((column) => column.name).sort()]).toEqual([name, columnsOf(name)]);
    }
    db.close();
  });
});
