import { TOKEN_BUCKETS, type TokenBucket } from '@tallygate/contract/usage';
import { type Kysely, sql } from 'kysely';
import { MEASURES, measureIndexOf, type Sums } from '../../accounting/rollup.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { UsageFilter, UsageQueries, UsageSource, UsageSumsRow } from '../store.ts';
import { readEvents } from './event-reads.ts';
import { MAX_PAGE, requestPage } from './request-pages.ts';
import { conditionsOf } from './usage-filter.ts';
import { planSegments, type Step, TIME_STEP_MS } from './usage-plan.ts';
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
    async timeseries(filter, step, group, source = 'auto') {
      const points = await sumsOf(database, filter, { step, group, source });
      return points
        .map((point) => ({ ...sumsRow(point), bucketStartMs: point.bucketStartMs, groupKey: point.groupKey }))
        .sort((a, b) => a.bucketStartMs - b.bucketStartMs || byKey(a.groupKey, b.groupKey));
    },
    async breakdown(filter, group, source = 'auto') {
      const rows = await sumsOf(database, filter, { step: null, group, source });
      return rows
        .map((row) => ({ ...sumsRow(row), groupKey: row.groupKey }))
        .sort((a, b) => byCost(a, b) || byKey(a.groupKey, b.groupKey));
    },
    requests: (query) => onSnapshot((context) => requestPage(context, query)),
    request: (id) =>
      onSnapshot(async (context) => (await readEvents(context, sql`e.id = ${id}`, sql``))[0] ?? null),
    children: (parentId) =>
      onSnapshot((context) =>
        readEvents(
          context,
          sql`e.parent_id = ${parentId}`,
          sql`order by e.ledger_seq limit ${sql.lit(MAX_CHILDREN)}`,
        ),
      ),
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
}

async function sumsOf(
  database: StoreDatabase,
  filter: UsageFilter,
  options: SumsOptions,
): Promise<GroupedSums[]> {
  const segments = planSegments(filter, options.step, options.source);
  const request: SumsRequest = {
    conditions: conditionsOf(filter),
    tags: filter.tags ?? [],
    group: options.group,
    bucketMs: options.step === null ? null : TIME_STEP_MS[options.step],
  };
  const groups = new Map<string, GroupedSums>();
  await database.snapshot(async (db) => {
    for (const segment of segments)
      await addSegment({ db, dialect: database.dialect }, segment, request, groups);
  });
  return [...groups.values()].filter((sums) => (sums.measures[0] ?? 0) > 0);
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
