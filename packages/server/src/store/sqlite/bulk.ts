import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { mergeEncodedBins } from '../../accounting/latency-histogram.ts';
import type { BulkTable, BulkWriter, RollupAddition } from '../dialect.ts';
import { ATTEMPT_ROWS, EVENT_TAG_ROWS, USAGE_EVENT_ROWS } from '../queries/event-columns.ts';
import { ROLLUP_SUM_COLUMNS, ROLLUP_TABLES } from '../queries/rollup-columns.ts';

const MAX_STATEMENTS = 128;

/** The tables of every commit: their statements stay prepared. */
const KEPT: readonly BulkTable[] = [USAGE_EVENT_ROWS, ATTEMPT_ROWS, EVENT_TAG_ROWS];

/** `merge_bins(a, b)`: adds two histograms inside an upsert, so that a rollup needs no read before its write. */
export function registerMergeBins(db: DatabaseSync): void {
  db.function('merge_bins', { deterministic: true }, (a, b) => mergeEncodedBins(String(a), String(b)));
}

function insertSql(table: BulkTable): string {
  const names = table.columns.map((column) => column.name);
  return `insert into ${table.name} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`;
}

function rollupSql(table: string, sumColumns: readonly string[]): string {
  const columns = ['series_id', 'bucket_ms', ...sumColumns, 'latency_bins', 'ttft_bins'];
  const additions = sumColumns.map((column) => `${column} = ${column} + excluded.${column}`);
  const bins = ['latency_bins', 'ttft_bins'].map(
    (column) => `${column} = merge_bins(${column}, excluded.${column})`,
  );
  return (
    `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')}) ` +
    `on conflict (series_id, bucket_ms) do update set ${[...additions, ...bins].join(', ')}`
  );
}

/**
 * Upserts into one rollup table. Most measures of most cells are zero, so a statement names only the columns that
 * change: there is one for each set of such columns that occurs, found by a number with a bit for each.
 */
class RollupUpserts {
  readonly #db: DatabaseSync;
  readonly #table: string;
  readonly #byColumns = new Map<number, StatementSync>();

  constructor(db: DatabaseSync, table: string) {
    this.#db = db;
    this.#table = table;
  }

  add(row: RollupAddition): void {
    const values: (number | bigint | string)[] = [row.seriesId, row.bucketMs];
    let columns = 0;
    for (let i = 0; i < row.measures.length; i++) {
      const value = row.measures[i] ?? 0;
      if (value === 0) continue;
      columns |= 1 << i;
      values.push(value);
    }
    if (row.costNanoUsd !== 0n) {
      columns |= 1 << row.measures.length;
      values.push(row.costNanoUsd);
    }
    values.push(row.latencyBins, row.ttftBins);
    this.#statement(columns).run(...values);
  }

  #statement(columns: number): StatementSync {
    const known = this.#byColumns.get(columns);
    if (known !== undefined) return known;
    if (this.#byColumns.size >= MAX_STATEMENTS) this.#byColumns.clear();
    const names = ROLLUP_SUM_COLUMNS.filter((_, index) => (columns & (1 << index)) !== 0);
    const statement = this.#db.prepare(rollupSql(this.#table, names));
    this.#byColumns.set(columns, statement);
    return statement;
  }
}

/** Prepared statements, one run for each row: in one thread and transaction nothing is faster here. */
export function createBulkWriter(db: DatabaseSync): BulkWriter {
  const inserts = new Map<BulkTable, StatementSync>();
  const upserts = {
    hour: new RollupUpserts(db, ROLLUP_TABLES.hour),
    day: new RollupUpserts(db, ROLLUP_TABLES.day),
  };
  return {
    async insert(table, rows) {
      const statement = inserts.get(table) ?? db.prepare(insertSql(table));
      if (KEPT.includes(table)) inserts.set(table, statement);
      for (const row of rows) statement.run(...row);
    },
    async addRollups(step, rows) {
      for (const row of rows) upserts[step].add(row);
    },
    async raiseLastUsed(table, times) {
      if (times.size === 0) return;
      const statement = db.prepare(
        `update ${table} set last_used_at_ms = ?1 where id = ?2 and (last_used_at_ms is null or last_used_at_ms < ?1)`,
      );
      for (const [id, timeMs] of times) statement.run(timeMs, id);
    },
  };
}
