import type {
  BreakdownView,
  TimeseriesView,
  TotalsView,
  UsageGroup,
  UsageSums,
} from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import type { FakeRequest } from './fake-admin-traffic.ts';

interface Filters {
  from?: string | undefined;
  to?: string | undefined;
  project?: string[] | undefined;
  key?: string[] | undefined;
  model?: string[] | undefined;
  provider?: string[] | undefined;
  account?: string[] | undefined;
  status?: string[] | undefined;
}
type TotalsBody = TotalsView['totals'];
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The rows inside the range that every filter lets through. */
export function filterRequests(items: FakeRequest[], filters: Filters): FakeRequest[] {
  const from = filters.from ? Date.parse(filters.from) : 0;
  const to = filters.to ? Date.parse(filters.to) : Number.POSITIVE_INFINITY;
  const has = (list: string[] | undefined, ...values: (string | null | undefined)[]): boolean =>
    list === undefined ||
    list.length === 0 ||
    values.some((value) => typeof value === 'string' && list.includes(value));
  return items.filter(
    ({ atMs, row }) =>
      atMs >= from &&
      atMs < to &&
      has(filters.project, row.project.id, row.project.slug) &&
      has(filters.key, row.key?.id) &&
      has(filters.model, row.modelServed) &&
      has(filters.provider, row.provider) &&
      has(filters.account, row.account?.id) &&
      has(filters.status, row.status),
  );
}

/** `GET /api/usage/totals`. */
export function totals(
  items: FakeRequest[],
  query: Filters & { from: string; to: string; compare: 'previous' | 'none' },
): TotalsView {
  const span = Date.parse(query.to) - Date.parse(query.from);
  const before = { ...query, from: new Date(Date.parse(query.from) - span).toISOString(), to: query.from };
  return {
    from: query.from,
    to: query.to,
    totals: body(filterRequests(items, query)),
    previous: query.compare === 'previous' ? body(filterRequests(items, before)) : null,
  };
}

/** `GET /api/usage/breakdown`. */
export function breakdown(
  items: FakeRequest[],
  query: Filters & { from: string; to: string; group: UsageGroup; limit: number },
): BreakdownView {
  const rows = grouped(filterRequests(items, query), query.group).map(({ key, label, list }) => ({
    ...sums(list),
    key,
    label,
    times: null,
  }));
  return {
    from: query.from,
    to: query.to,
    group: query.group,
    rows: rows.sort(byCost).slice(0, query.limit),
  };
}

/** `GET /api/usage/timeseries`. */
export function timeseries(
  items: FakeRequest[],
  query: Filters & {
    from: string;
    to: string;
    step: 'minute' | 'hour' | 'day';
    group?: UsageGroup | undefined;
    top: number;
  },
): TimeseriesView {
  const list = filterRequests(items, query);
  const groups =
    query.group === undefined
      ? [{ key: 'all', label: 'all', list }]
      : grouped(list, query.group).sort((a, b) => byCost(sums(a.list), sums(b.list)));
  const rest = groups.slice(query.top).flatMap((group) => group.list);
  const shown =
    rest.length === 0
      ? groups
      : [...groups.slice(0, query.top), { key: 'other', label: 'other', list: rest }];
  return {
    from: query.from,
    to: query.to,
    step: query.step,
    series: shown.map(({ key, label, list: own }) => ({
      key,
      label,
      points: points(own, STEP_MS[query.step]),
    })),
  };
}

function points(list: FakeRequest[], stepMs: number): TimeseriesView['series'][number]['points'] {
  const buckets = new Map<number, FakeRequest[]>();
  for (const item of list) {
    const at = Math.floor(item.atMs / stepMs) * stepMs;
    buckets.set(at, [...(buckets.get(at) ?? []), item]);
  }
  return [...buckets]
    .sort((a, b) => a[0] - b[0])
    .map(([at, own]) => {
      const all = body(own);
      const t = all.tokens;
      return {
        at: new Date(at).toISOString(),
        requests: all.requests,
        errors: all.errors,
        unpricedRequests: all.unpricedRequests,
        costUsd: all.costUsd,
        totalTokens: all.totalTokens,
        weightedTokens: all.weightedTokens,
        cacheReadTokens: t.cacheRead,
        inputTokens: t.inputUncached + t.cacheRead + t.cacheWrite5m,
        outputTokens: t.outputVisible + t.outputReasoning,
        latencyP50Ms: all.latency.p50Ms,
        latencyP95Ms: all.latency.p95Ms,
        ttftP50Ms: all.ttft.p50Ms,
      };
    });
}

function grouped(
  list: FakeRequest[],
  group: UsageGroup,
): { key: string; label: string; list: FakeRequest[] }[] {
  const map = new Map<string, { key: string; label: string; list: FakeRequest[] }>();
  for (const item of list) {
    const { row } = item;
    const [key, label] = {
      project: [row.project.id, row.project.slug],
      key: [row.key?.id ?? '', row.key?.name ?? ''],
      account: [row.account?.id ?? '', row.account?.name ?? ''],
      model: [row.modelServed ?? '', row.modelServed ?? ''],
      provider: [row.provider, row.provider],
      status: [row.status, row.status],
      source: [row.source, row.source],
    }[group] as [string, string];
    const entry = map.get(key) ?? { key, label, list: [] };
    entry.list.push(item);
    map.set(key, entry);
  }
  return [...map.values()];
}

const byCost = (
  a: { costUsd: string; totalTokens: number },
  b: { costUsd: string; totalTokens: number },
): number => Number(b.costUsd) - Number(a.costUsd) || b.totalTokens - a.totalTokens;

function sums(list: FakeRequest[]): UsageSums {
  const count = (test: (item: FakeRequest) => boolean): number =>
    list.reduce((n, item) => n + (test(item) ? 1 : 0), 0);
  const add = (of: (item: FakeRequest) => number | null): number =>
    list.reduce((n, item) => n + (of(item) ?? 0), 0);
  const unpriced = list.filter((item) => item.row.priceStatus === 'unpriced');
  const tokens = Object.fromEntries(
    TOKEN_BUCKETS.map((bucket) => [bucket, add((item) => item.row.tokens[bucket])]),
  ) as UsageSums['tokens'];
  const input = tokens.inputUncached + tokens.cacheRead + tokens.cacheWrite5m;
  return {
    requests: list.length,
    errors: count(({ row }) =>
      ['client_error', 'upstream_error', 'timeout', 'rejected'].includes(row.status),
    ),
    unpricedRequests: unpriced.length,
    unpricedTokens: unpriced.reduce((n, item) => n + (item.row.totalTokens ?? 0), 0),
    estimatedRequests: count(({ row }) => row.settleStatus === 'estimated'),
    interruptedRequests: count(({ row }) => row.settleStatus === 'interrupted'),
    costUsd: formatNanoUsd(list.reduce((n, item) => n + (item.costNanoUsd ?? 0n), 0n)),
    tokens,
    totalTokens: add((item) => item.row.totalTokens),
    weightedTokens: add((item) => item.row.weightedTokens),
    cacheHitRatio: input === 0 ? null : tokens.cacheRead / input,
  };
}

function body(list: FakeRequest[]): TotalsBody {
  const summary = (values: (number | null)[]): TotalsBody['latency'] => {
    const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
    const at = (share: number): number | null =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  };
  return {
    ...sums(list),
    latency: summary(list.map((i) => i.row.latencyMs)),
    ttft: summary(list.map((i) => i.row.ttftMs)),
    outputTokensPerSecond: list.length === 0 ? null : 41.5,
  };
}
