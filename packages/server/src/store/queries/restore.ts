import { type Kysely, sql } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type {
  BulkColumn,
  BulkTable,
  SqlDialect,
  StoreDatabase,
  Value,
  WriteTransaction,
} from '../dialect.ts';
import { migrate, schemaVersionOf } from '../migrations/migrate.ts';
import type { Migration } from '../migrations/migration.ts';
import type { Schema } from '../schema.ts';
import { type LedgerTotals, ledgerTotals, totalsOfFile } from './backup.ts';
import { type BackupHeader, type BackupLine, readLines, unreadable } from './backup-file.ts';
import { BACKUP_TABLES, IN_USE_TABLES } from './backup-tables.ts';

const BATCH = 1_000;

/**
 * Loads a backup of any engine into an empty or new store, in one transaction: it is all there with equal totals,
 * or nothing is. A backup of an older release is loaded into its own schema, which is then migrated.
 * @throws AppError `conflict` when the store is in use
 * @throws Error when the file is damaged, or newer than this program
 */
export async function restoreBackup(
  database: StoreDatabase,
  path: string,
  options: { migrations: readonly Migration[]; nowMs: number },
): Promise<LedgerTotals> {
  const { migrations, nowMs } = options;
  const expected = await totalsOfFile(path); // a damaged file is found before anything is written
  const header = await headerOf(path);
  const known = migrations.filter((migration) => migration.version <= header.schemaVersion);
  if (known.at(-1)?.version !== header.schemaVersion) {
    throw new Error(
      `The backup has schema version ${header.schemaVersion}, which this program does not know. ` +
        'Restore it with the release that made it, or a later one.',
    );
  }
  const present = await schemaVersionOf(database);
  if (present > 0) await requireEmpty(database);
  if (present > header.schemaVersion) {
    throw new AppError('conflict', {
      detail: 'The store already has a newer schema than the backup. Restore into a new store.',
    });
  }
  await migrate(database, known, nowMs);
  const restored = await database.write(async (transaction) => {
    await clear(transaction.db, database.dialect);
    await load(transaction, path);
    const found = await ledgerTotals({ db: transaction.db, dialect: database.dialect });
    if (found.events !== expected.events || found.costNanoUsd !== expected.costNanoUsd) {
      throw new Error(`The restored totals differ from those of the backup, so nothing was restored.`);
    }
    return found;
  });
  await migrate(database, migrations, nowMs);
  return restored;
}

async function headerOf(path: string): Promise<BackupHeader> {
  for await (const line of readLines(path)) {
    if (!Array.isArray(line) && 'tallygateBackup' in line && line.tallygateBackup === 1) return line;
    break;
  }
  throw unreadable();
}

async function requireEmpty({ kysely }: StoreDatabase): Promise<void> {
  for (const table of IN_USE_TABLES) {
    const row = await sql`select 1 from ${sql.table(table)} limit 1`.execute(kysely);
    if (row.rows.length === 0) continue;
    throw new AppError('conflict', {
      detail: 'The store is in use: it holds data. Restore into a new one, so that nothing is overwritten.',
    });
  }
}

/** What a first start puts into an otherwise empty store gives way to what the backup holds. */
async function clear(db: Kysely<Schema>, dialect: SqlDialect): Promise<void> {
  for (const table of [...BACKUP_TABLES].reverse()) {
    // A backup of an earlier release is loaded into its schema, which lacks the tables that came later.
    if (await dialect.tableExists(db, table.name))
      await sql`delete from ${sql.table(table.name)}`.execute(db);
  }
}

async function load({ bulk }: WriteTransaction, path: string): Promise<void> {
  let table: BulkTable | null = null;
  let batch: Value[][] = [];
  const flush = async (): Promise<void> => {
    if (table !== null && batch.length > 0) await bulk.insert(table, batch);
    batch = [];
  };
  for await (const line of readLines(path)) {
    if (Array.isArray(line)) {
      if (table === null || line.length !== table.columns.length) throw unreadable();
      batch.push(rowOf(table.columns, line));
      if (batch.length >= BATCH) await flush();
    } else {
      await flush();
      table = 'table' in line ? tableOf(line) : null;
    }
  }
  await flush();
}

function rowOf(columns: readonly BulkColumn[], line: readonly Value[]): Value[] {
  return line.map((value, index) =>
    columns[index]?.kind === 'int' && typeof value === 'string' ? BigInt(value) : value,
  );
}

/** Names go into SQL, so only those that the schema can have are taken. */
function tableOf(line: Extract<BackupLine, { table: string }>): BulkTable {
  const known = BACKUP_TABLES.find((table) => table.name === line.table);
  if (known === undefined) throw unreadable();
  const columns = line.columns.map(({ name, kind }): BulkColumn => {
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw unreadable();
    return { name, kind: kind === 'int' ? 'int' : 'text' };
  });
  return { name: known.name, columns };
}
