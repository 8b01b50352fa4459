import type { UsageGroup } from '@tallygate/contract/api/usage';
import { TOKEN_BUCKETS, type TokenBucket } from '@tallygate/contract/usage';
import { type Kysely, sql } from 'kysely';
import { MEASURES, measureIndexOf, type Sums, subtractSums } from '../../accounting/rollup.ts';
import type { SqlDialect, StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type {
  TimeseriesPoint,
  TopGroups,
  UsageFilter,
  UsageQueries,
  UsageSource,
  UsageSumsRow,
} from '../store.ts';
import { readEvents } from './event-reads.ts';
import { MAX_PAGE, requestPage } from './request-pages.ts';
import { conditionsOf, inGroups } from './usage-filter.ts';
import { planSegments, type Segment, type Step, TIME_STEP_MS } from './usage-plan.ts';
import { addSegment, type GroupedSums, type SumsRequest } from './usage-sums.ts';

const MAX_CHILDREN = 1_000;

/** The read side of the ledger. Each answer is of one moment of the store. */
export function createUsageQueries(database: StoreDatabase): UsageQueries {
  const { dialect } = database;
  const onSnapshot = <T>(work: (context: { db: Kysely<Schema>; dialect: typeof dialect }) => Promise<T>) =>
    database.snapshot((db) => work({ db, dialect }));
  const newestFirst = sql`order by e.ledger_seq`;
  return {
    async totals(filter, source = 'auto') {
      const [sums] = await sumsOf(database, filter, { step: null, group: null, source });
      return sumsRow(sums ?? null);
    },
    timeseries: (filter, step, group, source = 'auto') =>
      timeseries(database, filter, { step, group, source }),
    async breakdown(filter, group, source = 'auto', times = false) {
      const measures = times ? 'all' : 'sums';
      const rows = await sumsOf(database, filter, { step: null, group, source, measures });
      return rows
        .map((row) => ({ ...sumsRow(row), groupKey: row.groupKey }))
        .sort((a, b) => byCost(a, b) || byKey(a.groupKey, b.groupKey));
    },
    requests: (query) => onSnapshot((context) => requestPage(context, query)),
    request: (id, workspaceId) =>
      onSnapshot(async (context) => {
        const owned = workspaceId === null ? sql`` : sql`and s.workspace_id = ${workspaceId}`;
        return (await readEvents(context, sql`e.id = ${id} ${owned}`, sql``))[0] ?? null;
      }),
    children: (parentId) =>
      onSnapshot((context) =>
        readEvents(
          context,
          sql`e.parent_id = ${parentId}`,
          sql`order by e.ledger_seq limit ${sql.lit(MAX_CHILDREN)}`,
        ),
      ),
    rowsOfRequests(ids) {
      if (ids.length === 0) return Promise.resolve([]);
      const list = sql.join([...ids]);
      return onSnapshot((context) =>
        readEvents(context, sql`(e.id in (${list}) or e.parent_id in (${list}))`, sql``),
      );
    },
    committedAfter: (ledgerSeq, limit) =>
      onSnapshot((context) => {
        const bounded = Math.min(Math.max(1, limit), MAX_PAGE * 2);
        return readEvents(context, sql`e.ledger_seq > ${ledgerSeq}`, sql`${newestFirst} limit ${bounded}`);
      }),
    async lastLedgerSeq() {
      const row = await database.kysely
        .selectFrom('usage_event')
        .select((eb) => eb.fn.max('ledger_seq').as('ledger_seq'))
        .executeTakeFirst();
      return row?.ledger_seq ?? 0;
    },
  };
}

interface SumsOptions {
  step: Step | null;
  group: SumsRequest['group'];
  source: UsageSource;
  measures?: SumsRequest['measures'];
}

async function sumsOf(
  database: StoreDatabase,
  filter: UsageFilter,
  options: SumsOptions,
): Promise<GroupedSums[]> {
  const request = { ...sumsRequest(filter, options), measures: options.measures ?? 'all' };
  const segments = planSegments(filter, options.step, options.source);
  return database.snapshot((db) => runPlan({ db, dialect: database.dialect }, segments, request));
}

function sumsRequest(filter: UsageFilter, options: SumsOptions): Omit<SumsRequest, 'measures'> {
  return {
    conditions: conditionsOf(filter),
    tags: filter.tags ?? [],
    group: options.group,
    bucketMs: options.step === null ? null : TIME_STEP_MS[options.step],
  };
}

async function runPlan(
  context: { db: Kysely<Schema>; dialect: SqlDialect },
  segments: readonly Segment[],
  request: SumsRequest,
): Promise<GroupedSums[]> {
  const groups = new Map<string, GroupedSums>();
  for (const segment of segments) await addSegment(context, segment, request, groups);
  return [...groups.values()].filter((sums) => (sums.measures[0] ?? 0) > 0);
}

interface SeriesOptions {
  step: Step;
  group: UsageGroup | TopGroups | null;
  source: UsageSource;
}

async function timeseries(
  database: StoreDatabase,
  filter: UsageFilter,
  { step, group, source }: SeriesOptions,
): Promise<TimeseriesPoint[]> {
  const points =
    group === null || typeof group === 'string'
      ? (await sumsOf(database, filter, { step, group, source })).map(pointOf)
      : await topSeries(database, filter, { step, group, source });
  return points.sort((a, b) => a.bucketStartMs - b.bucketStartMs || byKey(a.groupKey, b.groupKey));
}

const pointOf = (sums: GroupedSums): TimeseriesPoint => ({
  ...sumsRow(sums),
  bucketStartMs: sums.bucketStartMs,
  groupKey: sums.groupKey,
});

/**
 * Ranks the groups over the whole range, then reads only the top ones apart. The rest is what is left of the sums
 * of all, which a coarser grain answers with far fewer rows than the groups have.
 */
async function topSeries(
  database: StoreDatabase,
  filter: UsageFilter,
  { step, group, source }: SeriesOptions & { group: TopGroups },
): Promise<TimeseriesPoint[]> {
  return database.snapshot(async (db) => {
    const context = { db, dialect: database.dialect };
    const request = sumsRequest(filter, { group: group.by, source, step });
    const ranking = planSegments(filter, step === 'minute' ? step : null, source);
    const ranked = await runPlan(context, ranking, { ...request, bucketMs: null, measures: 'ranking' });
    ranked.sort((a, b) => byCost(sumsRow(a), sumsRow(b)) || byKey(a.groupKey, b.groupKey));
    const keys = ranked.slice(0, Math.max(0, group.top)).map((sums) => sums.groupKey);
    const segments = planSegments(filter, step, source);
    const conditions = [...request.conditions, inGroups(group.by, keys)];
    const apart =
      keys.length === 0 ? [] : await runPlan(context, segments, { ...request, conditions, measures: 'all' });
    const restGroups = ranked.length - keys.length;
    if (restGroups === 0) return apart.map(pointOf);
    const whole = await runPlan(context, segments, { ...request, group: null, measures: 'all' });
    return [...apart.map(pointOf), ...restOf(whole, apart).map((rest) => ({ ...pointOf(rest), restGroups }))];
  });
}

/** What is left of each bucket without the given groups; buckets of which nothing is left are left out. */
function restOf(whole: readonly GroupedSums[], apart: readonly GroupedSums[]): GroupedSums[] {
  const buckets = new Map(whole.map((sums) => [sums.bucketStartMs, sums]));
  for (const sums of apart) {
    const bucket = buckets.get(sums.bucketStartMs);
    if (bucket !== undefined) subtractSums(bucket, sums);
  }
  return whole.filter((sums) => (sums.measures[0] ?? 0) > 0);
}

function sumsRow(sums: Sums | null): UsageSumsRow {
  const measure = (name: (typeof MEASURES)[number]): number => sums?.measures[MEASURES.indexOf(name)] ?? 0;
  const tokens = TOKEN_BUCKETS.map((bucket) => [bucket, sums?.measures[measureIndexOf(bucket)] ?? 0]);
  return {
    requests: measure('requests'),
    errors: measure('errors'),
    unpricedRequests: measure('unpricedRequests'),
    unpricedTokens: measure('unpricedTokens'),
    estimatedRequests: measure('estimatedRequests'),
    interruptedRequests: measure('interruptedRequests'),
    costNanoUsd: sums?.costNanoUsd ?? 0n,
    tokens: Object.fromEntries(tokens) as Record<TokenBucket, number>,
    weightedTokens: measure('weightedTokens'),
    latencyBins: sums?.latencyBins ?? new Map(),
    ttftBins: sums?.ttftBins ?? new Map(),
  };
}

function byCost(a: UsageSumsRow, b: UsageSumsRow): number {
  if (a.costNanoUsd !== b.costNanoUsd) return a.costNanoUsd < b.costNanoUsd ? 1 : -1;
  return b.weightedTokens - a.weightedTokens;
}

function byKey(a: string | null, b: string | null): number {
  const [left, right] = [a ?? '', b ?? ''];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
