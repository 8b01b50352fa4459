import {
  breakdownQuery,
  breakdownResponse,
  type TotalsView,
  timeseriesQuery,
  timeseriesResponse,
  totalsQuery,
  totalsResponse,
  usageTotalsEvent,
} from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import type { UsageFilter } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toIso, toMs } from '../instant.ts';
import { loadNames, type Names, NO_GROUP_KEY } from '../names.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, type Caller, jsonRoute, streamRoute } from '../route.ts';
import { type FilterQuery, toFilter } from './filters.ts';
import { topSeries, wholeSeries } from './series.ts';
import { byCostThenTokens, sumsView, timesView, totalsView } from './sums-view.ts';
import { streamTotals } from './totals-stream.ts';

const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
/** Minutes are summed from raw rows. */
const MAX_MINUTE_RANGE_MS = 6 * STEP_MS.hour;
/** Points of one series: 90 days of hours, or ten years of days, with room. */
const MAX_BUCKETS = 4_000;
const MAX_RANGE_MS = 20 * 366 * STEP_MS.day;

interface Ranged {
  from: string;
  to: string;
}

async function prepare(
  deps: AdminDeps,
  { query, ...caller }: Caller & { query: FilterQuery & Ranged },
): Promise<{ filter: UsageFilter; names: Names }> {
  const fromMs = toMs(query.from);
  const end = toMs(query.to);
  assertForward(fromMs, end, { in: 'query', path: 'to' });
  if (end - fromMs > MAX_RANGE_MS) {
    throw invalidInput([{ in: 'query', path: 'to', message: 'must be within 20 years of the start' }]);
  }
  const names = await loadNames(deps.store.config, caller.workspaceId);
  return { filter: { fromMs, toMs: end, ...toFilter(query, names, caller) }, names };
}

function assertFewBuckets({ fromMs, toMs: end }: UsageFilter, step: keyof typeof STEP_MS): void {
  const refuse = (message: string): never => {
    throw invalidInput([{ in: 'query', path: 'step', message }]);
  };
  if (step === 'minute' && end - fromMs > MAX_MINUTE_RANGE_MS)
    refuse('minute is for ranges of up to 6 hours; use hour');
  if ((end - fromMs) / STEP_MS[step] > MAX_BUCKETS)
    refuse(`gives more than ${MAX_BUCKETS} buckets; use a wider step`);
}

async function totalsOver(
  deps: AdminDeps,
  call: Caller & { query: z.output<typeof totalsQuery> },
): Promise<TotalsView> {
  const { filter } = await prepare(deps, call);
  const { fromMs, toMs: end } = filter;
  const earlier = { ...filter, fromMs: fromMs - (end - fromMs), toMs: fromMs };
  const [totals, previous] = await Promise.all([
    deps.store.usage.totals(filter),
    call.query.compare === 'previous' ? deps.store.usage.totals(earlier) : null,
  ]);
  return {
    from: toIso(fromMs),
    to: toIso(end),
    totals: totalsView(totals),
    previous: previous === null ? null : totalsView(previous),
  };
}

/** Figures (WT-05): sums, series and rankings over any filter, and today's totals live. */
export function usageRoutes(deps: AdminDeps): AdminRoute[] {
  const { usage } = deps.store;
  const guarded = { access: 'permitted', permission: 'usage.view', method: 'GET' } as const;
  return [
    jsonRoute({
      ...guarded,
      path: '/api/usage/totals',
      summary: 'Sums over a range, optionally with the span before it',
      query: totalsQuery,
      response: totalsResponse,
      handler: async (call) => ({ body: await totalsOver(deps, call) }),
    }),
    jsonRoute({
      ...guarded,
      path: '/api/usage/timeseries',
      summary: 'Sums by minute, hour or UTC day, optionally split into the top groups',
      query: timeseriesQuery,
      response: timeseriesResponse,
      async handler(call) {
        const { query } = call;
        const { filter, names } = await prepare(deps, call);
        assertFewBuckets(filter, query.step);
        const { step, group, top } = query;
        const points = await usage.timeseries(filter, step, group === undefined ? null : { by: group, top });
        const series = group === undefined ? wholeSeries(points) : topSeries(points, { group, names });
        return { body: { from: toIso(filter.fromMs), to: toIso(filter.toMs), step, series } };
      },
    }),
    jsonRoute({
      ...guarded,
      path: '/api/usage/breakdown',
      summary: 'Sums by project, key, model, provider, account, status or source, highest cost first',
      query: breakdownQuery,
      response: breakdownResponse,
      async handler(call) {
        const { query } = call;
        const { filter, names } = await prepare(deps, call);
        const times = query.times === 'true';
        const rows = (await usage.breakdown(filter, query.group, 'auto', times))
          .sort(byCostThenTokens)
          .slice(0, query.limit);
        return {
          body: {
            from: toIso(filter.fromMs),
            to: toIso(filter.toMs),
            group: query.group,
            rows: rows.map((row) => ({
              ...sumsView(row),
              key: row.groupKey ?? NO_GROUP_KEY,
              label: names.label(query.group, row.groupKey),
              times: times ? timesView(row) : null,
            })),
          },
        };
      },
    }),
    streamRoute({
      ...guarded,
      path: '/api/usage/stream',
      summary: "Server-sent events `totals`: today's sums (UTC day), at once and on change",
      response: usageTotalsEvent,
      prepare: async (call) => (sink) => streamTotals(deps, call, sink),
    }),
  ];
}
