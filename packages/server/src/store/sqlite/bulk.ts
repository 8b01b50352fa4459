import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { mergeEncodedBins } from '../../accounting/latency-histogram.ts';
import type { BulkTable, BulkWriter } from '../dialect.ts';
import { ROLLUP_SUM_COLUMNS, ROLLUP_TABLES } from '../queries/rollup-columns.ts';

const MAX_STATEMENTS = 128;

/** Prepared statements by their SQL, the least recently used one dropped when there are too many. */
class Statements {
  readonly #db: DatabaseSync;
  readonly #bySql = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get(sql: string): StatementSync {
    let statement = this.#bySql.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      const oldest = this.#bySql.size >= MAX_STATEMENTS ? this.#bySql.keys().next().value : undefined;
      if (oldest !== undefined) this.#bySql.delete(oldest);
    } else this.#bySql.delete(sql);
    this.#bySql.set(sql, statement);
    return statement;
  }
}

/** `merge_bins(a, b)`: adds two histograms inside an upsert, so that a rollup needs no read before its write. */
export function registerMergeBins(db: DatabaseSync): void {
  db.function('merge_bins', { deterministic: true }, (a, b) => mergeEncodedBins(String(a), String(b)));
}

function insertSql(table: BulkTable): string {
  const names = table.columns.map((column) => column.name);
  return `insert into ${table.name} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`;
}

/** Most measures of most cells are zero: the statement names only the columns that change. */
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

/** Prepared statements, one run for each row: in one thread and transaction nothing is faster here. */
export function createBulkWriter(db: DatabaseSync): BulkWriter {
  const statements = new Statements(db);
  return {
    async insert(table, rows) {
      if (rows.length === 0) return;
      const statement = statements.get(insertSql(table));
      for (const row of rows) statement.run(...row);
    },
    async addRollups(step, rows) {
      for (const row of rows) {
        const columns: string[] = [];
        const values: (number | bigint)[] = [];
        row.sums.forEach((sum, index) => {
          const column = ROLLUP_SUM_COLUMNS[index];
          if (column === undefined || sum === 0 || sum === 0n) return;
          columns.push(column);
          values.push(sum);
        });
        const statement = statements.get(rollupSql(ROLLUP_TABLES[step], columns));
        statement.run(row.seriesId, row.bucketMs, ...values, row.latencyBins, row.ttftBins);
      }
    },
    async raiseLastUsed(table, times) {
      const statement = statements.get(
        `update ${table} set last_used_at_ms = ?1 where id = ?2 and (last_used_at_ms is null or last_used_at_ms < ?1)`,
      );
      for (const [id, timeMs] of times) statement.run(timeMs, id);
    },
  };
}
