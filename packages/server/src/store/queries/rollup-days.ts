import type { PriceStatus, RequestStatus, SettleStatus, TokenCounts } from '@tallygate/contract/usage';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { type Kysely, sql } from 'kysely';
import {
  DAY_MS,
  MEASURES,
  type RolledUpEvent,
  RollupBuilder,
  type RollupCell,
  type RollupStep,
} from '../../accounting/rollup.ts';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import { tokenColumn } from '../tables/column-names.ts';
import type { UsageEventTable } from '../tables/usage-tables.ts';
import { MEASURE_COLUMNS, type MeasureColumn, ROLLUP_TABLES } from './rollup-columns.ts';

const PAGE = 5_000;

type Context = { db: Kysely<Schema>; dialect: SqlDialect };
type Row = Omit<UsageEventTable, 'cost_nano_usd'> & {
  cost: string | null;
  workspace_id: string;
  project_id: string;
  api_key_id: string | null;
  user_id: string | null;
  source: string;
  provider: string;
  account_id: string | null;
  model_served: string | null;
  status: RequestStatus;
};

function rolledUp(row: Row): RolledUpEvent {
  return {
    parentId: row.parent_id,
    workspaceId: row.workspace_id,
    projectId: row.project_id,
    apiKeyId: row.api_key_id,
    userId: row.user_id,
    source: row.source,
    provider: row.provider,
    accountId: row.account_id,
    modelServed: row.model_served,
    status: row.status,
    startedAtMs: row.started_at_ms,
    latencyMs: row.latency_ms,
    ttftMs: row.ttft_ms,
    weightedTokens: row.weighted_tokens,
    costNanoUsd: row.cost === null ? null : BigInt(row.cost),
    priceStatus: row.price_status as PriceStatus,
    settleStatus: row.settle_status as SettleStatus,
    tokens: Object.fromEntries(
      TOKEN_BUCKETS.map((bucket) => [bucket, row[tokenColumn(bucket)]]),
    ) as TokenCounts,
  };
}

/** The cells that the rows of one UTC day add up to, computed anew; and how many rows there were. */
export async function cellsFromRows(
  { db, dialect }: Context,
  dayMs: number,
): Promise<{ cells: RollupCell[]; events: number }> {
  const builder = new RollupBuilder();
  const tokens = TOKEN_BUCKETS.map((bucket) => sql.ref(`e.${tokenColumn(bucket)}`));
  let after = { started: dayMs, seq: 0 };
  let events = 0;
  for (;;) {
    const { rows } = await sql<Row>`
      select e.ledger_seq, e.parent_id, e.started_at_ms, e.latency_ms, e.ttft_ms, e.weighted_tokens,
        ${dialect.asText(sql`e.cost_nano_usd`)} as cost, e.price_status, e.settle_status, ${sql.join(tokens)},
        s.workspace_id, s.project_id, s.api_key_id, s.user_id, s.source, s.provider, s.account_id,
        s.model_served, s.status
      from usage_event as e cross join usage_series as s
      where s.id = e.series_id and e.started_at_ms >= ${after.started} and e.started_at_ms < ${dayMs + DAY_MS}
        and (e.started_at_ms > ${after.started} or e.ledger_seq > ${after.seq})
      order by e.started_at_ms, e.ledger_seq limit ${sql.lit(PAGE)}`.execute(db);
    for (const row of rows) builder.add(rolledUp(row));
    events += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return { cells: builder.cells(), events };
    after = { started: last.started_at_ms, seq: last.ledger_seq };
  }
}

export interface StoredCell {
  seriesId: number;
  step: RollupStep;
  bucketMs: number;
  measures: number[];
  costNanoUsd: bigint;
  latencyBins: string;
  ttftBins: string;
}

type StoredRow = Record<MeasureColumn, number> & {
  series_id: number;
  bucket_ms: number;
  cost: string;
  latency_bins: string;
  ttft_bins: string;
};

/** The cells stored for one UTC day, hours and the day itself. */
export async function storedCells({ db, dialect }: Context, dayMs: number): Promise<StoredCell[]> {
  const cells: StoredCell[] = [];
  const columns = MEASURE_COLUMNS.map((column) => sql.ref(`r.${column}`));
  for (const step of ['hour', 'day'] as const) {
    const { rows } = await sql<StoredRow>`
      select r.series_id, r.bucket_ms, ${sql.join(columns)}, ${dialect.asText(sql`r.cost_nano_usd`)} as cost,
        r.latency_bins, r.ttft_bins
      from usage_series as s cross join ${sql.table(ROLLUP_TABLES[step])} as r
      where r.series_id = s.id and r.bucket_ms >= ${dayMs} and r.bucket_ms < ${dayMs + DAY_MS}`.execute(db);
    for (const row of rows) {
      cells.push({
        seriesId: row.series_id,
        step,
        bucketMs: row.bucket_ms,
        measures: MEASURE_COLUMNS.map((column) => row[column]),
        costNanoUsd: BigInt(row.cost),
        latencyBins: row.latency_bins,
        ttftBins: row.ttft_bins,
      });
    }
  }
  return cells;
}

/** Removes the cells of one UTC day. */
export async function deleteCells({ db }: Context, dayMs: number): Promise<void> {
  for (const step of ['hour', 'day'] as const) {
    await sql`
      delete from ${sql.table(ROLLUP_TABLES[step])}
      where series_id in (select id from usage_series)
        and bucket_ms >= ${dayMs} and bucket_ms < ${dayMs + DAY_MS}`.execute(db);
  }
}

/** UTC days to look at: those of the range, or of everything stored; null when nothing is. */
export async function daysOf(
  { db }: Context,
  fromMs: number | null,
  toMs: number | null,
): Promise<{ firstMs: number; endMs: number } | null> {
  const { rows } = await sql<{ first: number | null; last: number | null }>`
    select (select min(started_at_ms) from usage_event) as first,
      (select max(started_at_ms) from usage_event) as last
    union all select min(bucket_ms), max(bucket_ms) from rollup_day
    union all select min(bucket_ms), max(bucket_ms) from rollup_hour`.execute(db);
  const firsts = rows.flatMap((row) => (row.first === null ? [] : [row.first]));
  const lasts = rows.flatMap((row) => (row.last === null ? [] : [row.last]));
  if (firsts.length === 0) return null;
  const first = Math.max(Math.min(...firsts), fromMs ?? 0);
  const end = Math.min(Math.max(...lasts) + 1, toMs ?? Number.MAX_SAFE_INTEGER);
  if (end <= first) return null;
  return { firstMs: Math.floor(first / DAY_MS) * DAY_MS, endMs: Math.ceil(end / DAY_MS) * DAY_MS };
}

/** Names of the numbers in `StoredCell.measures`, for people. */
export const MEASURE_NAMES: readonly string[] = MEASURES;
