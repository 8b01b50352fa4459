import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { SqlDialect, StoreDatabase, Value } from '../dialect.ts';
import { schemaVersionIn } from '../migrations/migrate.ts';
import type { Schema } from '../schema.ts';
import type { BackupTable } from './backup-columns.ts';
import { type BackupLine, type BackupTrailer, readLines, unreadable, writeLines } from './backup-file.ts';
import { BACKUP_TABLES } from './backup-tables.ts';

const PAGE = 2_000;

export interface LedgerTotals {
  events: number;
  costNanoUsd: bigint;
}

type Context = { db: Kysely<Schema>; dialect: SqlDialect };

/** Number of rows in the ledger and the sum of their known costs. */
export async function ledgerTotals({ db, dialect }: Context): Promise<LedgerTotals> {
  const { rows } = await sql<{ events: number; cost: string | null }>`
    select count(*) as events, ${dialect.asText(sql`sum(cost_nano_usd)`)} as cost from usage_event`.execute(
    db,
  );
  return { events: Number(rows[0]?.events ?? 0), costNanoUsd: BigInt(rows[0]?.cost ?? '0') };
}

/**
 * Writes a backup of one moment while everything else goes on. The file gets its name only when it is complete,
 * on disk, and adds up to the totals of that moment; a process killed before that leaves `<path>.partial-…`.
 * @throws AppError `conflict` when the file exists
 */
export async function writeBackup(
  database: StoreDatabase,
  path: string,
  nowMs: number,
): Promise<{ bytes: number } & LedgerTotals> {
  if (existsSync(path))
    throw new AppError('conflict', { detail: `The file ${path} exists. Name a new one.` });
  const suffix = createHash('sha256').update(`${path} ${nowMs} ${process.pid}`).digest('hex').slice(0, 12);
  const partial = `${path}.partial-${suffix}`;
  try {
    const totals = await database.snapshot(async (db) => {
      const context = { db, dialect: database.dialect };
      const expected = await ledgerTotals(context);
      const header = {
        tallygateBackup: 1 as const,
        schemaVersion: await schemaVersionIn(db),
        createdAtMs: nowMs,
      };
      await writeLines(partial, linesOf(context, header, expected));
      return expected;
    });
    await requireTotals(partial, totals);
    await rename(partial, path);
    await syncDirectory(dirname(path));
    return { bytes: (await stat(path)).size, ...totals };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function* linesOf(
  context: Context,
  header: BackupLine,
  totals: LedgerTotals,
): AsyncGenerator<BackupLine> {
  yield header;
  for (const table of BACKUP_TABLES) {
    yield { table: table.name, columns: [...table.columns] };
    yield* rowsOf(context, table);
  }
  yield { end: true, events: totals.events, costNanoUsd: String(totals.costNanoUsd) };
}

/** Rows of a table in key order, page by page, so that memory stays flat. */
async function* rowsOf({ db, dialect }: Context, table: BackupTable): AsyncGenerator<Value[]> {
  const names = table.columns.map((column) => column.name);
  const selected = names.map((name) => (name === 'cost_nano_usd' ? asCost(dialect) : sql.ref(name)));
  const keys = table.key.map((name) => sql.ref(name));
  let after: RawBuilder<unknown> = sql`1 = 1`;
  for (;;) {
    const { rows } = await sql<Record<string, Value>>`
      select ${sql.join(selected)} from ${sql.table(table.name)} where ${after}
      order by ${sql.join(keys)} limit ${sql.lit(PAGE)}`.execute(db);
    for (const row of rows) yield names.map((name) => row[name] ?? null);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    const position = table.key.map((name) => sql`${last[name]}`);
    after = sql`(${sql.join(keys)}) > (${sql.join(position)})`;
  }
}

function asCost(dialect: SqlDialect): RawBuilder<unknown> {
  return sql`${dialect.asText(sql.ref('cost_nano_usd'))} as cost_nano_usd`;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Reads the file back and compares what its rows add up to. */
async function requireTotals(path: string, expected: LedgerTotals): Promise<void> {
  const found = await totalsOfFile(path);
  if (found.events === expected.events && found.costNanoUsd === expected.costNanoUsd) return;
  throw new Error(
    `The backup holds ${found.events} events and ${found.costNanoUsd} nano-USD, ` +
      `the store ${expected.events} and ${expected.costNanoUsd}: it was not kept.`,
  );
}

/** Adds up the ledger rows among the lines it is given. */
class FileTotals {
  readonly totals: LedgerTotals = { events: 0, costNanoUsd: 0n };
  trailer: BackupTrailer | null = null;
  /** Where a row has its cost; null outside the ledger's table. */
  #costPosition: number | null = null;

  take(line: BackupLine): void {
    if (Array.isArray(line)) this.#takeRow(line);
    else if ('table' in line) {
      const position = line.columns.findIndex((column) => column.name === 'cost_nano_usd');
      this.#costPosition = line.table === 'usage_event' ? position : null;
    } else if ('end' in line) this.trailer = line;
  }

  #takeRow(row: readonly Value[]): void {
    if (this.#costPosition === null) return;
    this.totals.events += 1;
    this.totals.costNanoUsd += BigInt(row[this.#costPosition] ?? 0);
  }
}

/** What the ledger rows in a file add up to. @throws Error when the file is not a complete backup */
export async function totalsOfFile(path: string): Promise<LedgerTotals> {
  const found = new FileTotals();
  for await (const line of readLines(path)) found.take(line);
  const { trailer, totals } = found;
  if (trailer === null) throw unreadable();
  if (trailer.events !== totals.events || BigInt(trailer.costNanoUsd) !== totals.costNanoUsd)
    throw unreadable();
  return totals;
}
