import type { PoolClient } from 'pg';
import { mergeEncodedBins } from '../../accounting/latency-histogram.ts';
import type { BulkColumn, BulkWriter, RollupAddition, Value } from '../dialect.ts';
import { ROLLUP_SUM_COLUMNS, ROLLUP_TABLES } from '../queries/rollup-columns.ts';

/** Rows for one statement: large enough to be cheap, small enough to keep the message in memory. */
const CHUNK = 2_000;
const TYPES: Record<BulkColumn['kind'], string> = { int: 'bigint', text: 'text' };

/** One array for each column: `unnest` turns any number of rows into one statement of constant text. */
function columnArrays(rows: readonly (readonly Value[])[], width: number): Value[][] {
  return Array.from({ length: width }, (_, index) => rows.map((row) => row[index] ?? null));
}

function* chunksOf<T>(rows: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function unnest(columns: readonly BulkColumn[]): string {
  return `unnest(${columns.map((column, index) => `$${index + 1}::${TYPES[column.kind]}[]`).join(', ')})`;
}

const ROLLUP_COLUMNS: readonly BulkColumn[] = [
  { name: 'series_id', kind: 'int' },
  { name: 'bucket_ms', kind: 'int' },
  ...ROLLUP_SUM_COLUMNS.map((name): BulkColumn => ({ name, kind: 'int' })),
  { name: 'latency_bins', kind: 'text' },
  { name: 'ttft_bins', kind: 'text' },
];

function rollupSql(table: string): string {
  const names = ROLLUP_COLUMNS.map((column) => column.name);
  const sums = ROLLUP_SUM_COLUMNS.map((name) => `${name} = ${table}.${name} + excluded.${name}`);
  const bins = ['latency_bins', 'ttft_bins'].map((name) => `${name} = excluded.${name}`);
  return (
    `insert into ${table} (${names.join(', ')}) select * from ${unnest(ROLLUP_COLUMNS)} ` +
    `on conflict (series_id, bucket_ms) do update set ${[...sums, ...bins].join(', ')}`
  );
}

type BinsRow = { series_id: number; bucket_ms: number; latency_bins: string; ttft_bins: string };

/** Histograms are text, which PostgreSQL cannot add: read and written back, safe under the ledger head's lock. */
async function withStoredBins(
  client: PoolClient,
  table: string,
  rows: readonly RollupAddition[],
): Promise<RollupAddition[]> {
  const found = await client.query<BinsRow>(
    `select r.series_id, r.bucket_ms, r.latency_bins, r.ttft_bins from ${table} as r
     join unnest($1::bigint[], $2::bigint[]) as k(series_id, bucket_ms)
     on r.series_id = k.series_id and r.bucket_ms = k.bucket_ms`,
    [rows.map((row) => row.seriesId), rows.map((row) => row.bucketMs)],
  );
  const stored = new Map(found.rows.map((row) => [`${row.series_id} ${row.bucket_ms}`, row]));
  return rows.map((row) => {
    const present = stored.get(`${row.seriesId} ${row.bucketMs}`);
    if (present === undefined) return row;
    return {
      ...row,
      latencyBins: mergeEncodedBins(present.latency_bins, row.latencyBins),
      ttftBins: mergeEncodedBins(present.ttft_bins, row.ttftBins),
    };
  });
}

/** Bulk statements on the connection that a transaction is pinned to. */
export function createBulkWriter(client: PoolClient): BulkWriter {
  return {
    async insert(table, rows) {
      const names = table.columns.map((column) => column.name).join(', ');
      const text = `insert into ${table.name} (${names}) select * from ${unnest(table.columns)}`;
      for (const chunk of chunksOf(rows)) await client.query(text, columnArrays(chunk, table.columns.length));
    },
    async addRollups(step, rows) {
      const table = ROLLUP_TABLES[step];
      const text = rollupSql(table);
      for (const chunk of chunksOf(rows)) {
        const merged = await withStoredBins(client, table, chunk);
        const values = merged.map((row) => [
          row.seriesId,
          row.bucketMs,
          ...row.measures,
          row.costNanoUsd,
          row.latencyBins,
          row.ttftBins,
        ]);
        await client.query(text, columnArrays(values, ROLLUP_COLUMNS.length));
      }
    },
    async raiseLastUsed(table, times) {
      if (times.size === 0) return;
      await client.query(
        `update ${table} as t set last_used_at_ms = u.used from unnest($1::text[], $2::bigint[]) as u(id, used)
         where t.id = u.id and (t.last_used_at_ms is null or t.last_used_at_ms < u.used)`,
        [[...times.keys()], [...times.values()]],
      );
    },
  };
}
