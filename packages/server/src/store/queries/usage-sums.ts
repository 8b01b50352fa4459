import type { UsageGroup } from '@tallygate/contract/api/usage';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { addEncodedBins, addMeasuredMs } from '../../accounting/latency-histogram.ts';
import { ERROR_STATUSES, emptySums, MEASURES, type RollupStep, type Sums } from '../../accounting/rollup.ts';
import { AppError } from '../../kernel/errors.ts';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import { tokenColumn } from '../tables/column-names.ts';
import { MEASURE_COLUMNS, type MeasureColumn, ROLLUP_TABLES } from './rollup-columns.ts';
import {
  type DimensionCondition,
  grainOf,
  groupExpression,
  narrowing,
  seriesCondition,
} from './usage-filter.ts';
import type { Segment } from './usage-plan.ts';

/** Groups one answer may have before it is refused: it has to pass through memory. */
export const MAX_GROUPS = 50_000;
/** From here on, a filtered read of rows starts at the series rather than at the time. */
const SERIES_FIRST_FROM_MS = 6 * 3_600_000;

export interface SumsRequest {
  conditions: readonly DimensionCondition[];
  tags: readonly string[];
  group: UsageGroup | null;
  /** Also group by this width of time. */
  bucketMs: number | null;
  /** `all`; `sums` leaves the histograms empty, which cost as much as the rest; `ranking` sums only what groups are ranked by. */
  measures: 'all' | 'sums' | 'ranking';
}

/** Sums of one time bucket (0 without one) and group. */
export interface GroupedSums extends Sums {
  bucketStartMs: number;
  groupKey: string | null;
}

export type SumRow = Record<MeasureColumn, number> & {
  cost: string | null;
  bucket: number;
  group_key: string | null;
  latency: string | null;
  ttft: string | null;
};

/** Runs one stretch of a plan and adds what it finds to `into`. @throws AppError when there are too many groups */
export async function addSegment(
  context: { db: Kysely<Schema>; dialect: SqlDialect },
  segment: Segment,
  request: SumsRequest,
  into: Map<string, GroupedSums>,
): Promise<void> {
  const { from, fromMs, toMs } = segment;
  const query =
    from === 'rows'
      ? rowSums(context.dialect, { fromMs, toMs }, request)
      : rollupSums(context.dialect, { from, fromMs, toMs }, request);
  const { rows } = await query.execute(context.db);
  const addBins = from === 'rows' ? addMeasuredMs : addEncodedBins;
  for (const row of rows) {
    const sums = groupIn(into, row);
    const { measures } = sums;
    MEASURE_COLUMNS.forEach((column, index) => {
      measures[index] = (measures[index] ?? 0) + row[column];
    });
    sums.costNanoUsd += BigInt(row.cost ?? '0');
    if (row.latency !== null) addBins(sums.latencyBins, row.latency);
    if (row.ttft !== null) addBins(sums.ttftBins, row.ttft);
  }
}

function groupIn(into: Map<string, GroupedSums>, row: SumRow): GroupedSums {
  const key = `${row.bucket} ${row.group_key === null ? '' : `=${row.group_key}`}`;
  let sums = into.get(key);
  if (sums === undefined) {
    if (into.size >= MAX_GROUPS) {
      throw new AppError('invalid_request', {
        detail: `The answer would have more than ${MAX_GROUPS} points. Use a wider step, a shorter range or a filter.`,
      });
    }
    sums = { bucketStartMs: row.bucket, groupKey: row.group_key, ...emptySums() };
    into.set(key, sums);
  }
  return sums;
}

function bucketOf(column: RawBuilder<unknown>, bucketMs: number | null): RawBuilder<unknown> {
  return bucketMs === null ? sql`0` : sql`${column} - (${column} % ${sql.lit(bucketMs)})`;
}

/** GROUP BY and a bound; without groups the one row of sums is always there, so nothing summed is left out. */
function grouping(request: SumsRequest): RawBuilder<unknown> {
  const keys: RawBuilder<unknown>[] = [];
  if (request.bucketMs !== null) keys.push(sql`bucket`);
  if (request.group !== null) keys.push(sql`group_key`);
  if (keys.length === 0) return sql`having count(*) > 0`;
  return sql`group by ${sql.join(keys)} limit ${sql.lit(MAX_GROUPS + 1)}`;
}

function histogram(
  dialect: SqlDialect,
  request: SumsRequest,
  values: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return request.measures === 'all' ? dialect.joinText(values) : sql`null`;
}

/** The grouped sums of a stretch of rollups. Series first: each one's buckets lie together in the table. */
export function rollupSums(
  dialect: SqlDialect,
  segment: { from: RollupStep; fromMs: number; toMs: number },
  request: SumsRequest,
): RawBuilder<SumRow> {
  const sums = measureColumns(request, (column) => dialect.sum(sql.ref(`r.${column}`)));
  const grain = grainOf(request.conditions, request.group);
  return sql<SumRow>`
    select ${sums},
      ${dialect.asText(sql`sum(r.cost_nano_usd)`)} as cost,
      ${histogram(dialect, request, sql`nullif(r.latency_bins, '')`)} as latency,
      ${histogram(dialect, request, sql`nullif(r.ttft_bins, '')`)} as ttft,
      ${bucketOf(sql`r.bucket_ms`, request.bucketMs)} as bucket,
      ${groupExpression(request.group)} as group_key
    from usage_series as s cross join ${sql.table(ROLLUP_TABLES[segment.from])} as r
    where ${seriesCondition(grain, request.conditions)}
      and r.series_id = s.id and r.bucket_ms >= ${segment.fromMs} and r.bucket_ms < ${segment.toMs}
    ${grouping(request)}`;
}

/** What groups are ranked by, beside the cost, and what tells whether there is anything. */
const RANKING: readonly string[] = ['events', 'weighted_tokens'];

function measureColumns(
  request: SumsRequest,
  sumOf: (column: MeasureColumn, index: number) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  const columns = MEASURE_COLUMNS.map((column, index) => {
    const wanted = request.measures !== 'ranking' || RANKING.includes(column);
    return sql`${wanted ? sumOf(column, index) : sql`0`} as ${sql.ref(column)}`;
  });
  return sql.join(columns);
}

const flag = (condition: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`case when ${condition} then 1 else 0 end`;

/** SQL of each measure over `usage_event as e` and `usage_series as s`: the same sums as `measuresOf`. */
function rowMeasure(measure: (typeof MEASURES)[number]): RawBuilder<unknown> {
  const whole = sql`e.parent_id is null`;
  switch (measure) {
    case 'events':
      return sql`1`;
    case 'requests':
      return flag(whole);
    case 'errors':
      return flag(
        sql`${whole} and s.status in (${sql.join(ERROR_STATUSES.map((status) => sql.lit(status)))})`,
      );
    case 'unpricedRequests':
      return flag(sql`e.price_status = 'unpriced'`);
    case 'unpricedTokens':
      return sql`case when e.price_status = 'unpriced' then ${allTokens()} else 0 end`;
    case 'estimatedRequests':
      return flag(sql`e.settle_status = 'estimated'`);
    case 'interruptedRequests':
      return flag(sql`e.settle_status = 'interrupted'`);
    case 'weightedTokens':
      return sql`e.weighted_tokens`;
    default:
      return sql.ref(`e.${tokenColumn(measure)}`);
  }
}

function allTokens(): RawBuilder<unknown> {
  const counts = TOKEN_BUCKETS.map((bucket) => sql`coalesce(${sql.ref(`e.${tokenColumn(bucket)}`)}, 0)`);
  return sql.join(counts, sql` + `);
}

/** The grouped sums of a stretch of rows. */
export function rowSums(
  dialect: SqlDialect,
  segment: { fromMs: number; toMs: number },
  request: SumsRequest,
): RawBuilder<SumRow> {
  const sums = measureColumns(request, (_, index) => dialect.sum(rowMeasure(MEASURES[index] ?? 'events')));
  return sql<SumRow>`
    select ${sums},
      ${dialect.asText(sql`sum(e.cost_nano_usd)`)} as cost,
      ${histogram(dialect, request, sql`case when e.parent_id is null then e.latency_ms end`)} as latency,
      ${histogram(dialect, request, sql`case when e.parent_id is null then e.ttft_ms end`)} as ttft,
      ${bucketOf(sql`e.started_at_ms`, request.bucketMs)} as bucket,
      ${groupExpression(request.group)} as group_key
    from ${rowSource(segment, request)}
    where ${seriesCondition('detail', request.conditions)}
      ${request.tags.length > 0 ? sql`and e.ledger_seq = tagged.ledger_seq` : sql``}
      and s.id = e.series_id and e.started_at_ms >= ${segment.fromMs} and e.started_at_ms < ${segment.toMs}
    ${grouping(request)}`;
}

/** Cross joins with the conditions in WHERE: SQLite keeps their order, the other engines choose their own. */
function rowSource(segment: { fromMs: number; toMs: number }, request: SumsRequest): RawBuilder<unknown> {
  if (request.tags.length > 0) {
    return sql`(
      select distinct ledger_seq from event_tag where tag in (${sql.join(request.tags)})
        and started_at_ms >= ${segment.fromMs} and started_at_ms < ${segment.toMs}
    ) as tagged cross join usage_event as e cross join usage_series as s`;
  }
  const seriesFirst =
    narrowing(request.conditions).length > 0 && segment.toMs - segment.fromMs > SERIES_FIRST_FROM_MS;
  return seriesFirst
    ? sql`usage_series as s cross join usage_event as e`
    : sql`usage_event as e cross join usage_series as s`;
}
