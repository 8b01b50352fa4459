import type { UsageGroup } from '@tallygate/contract/api/usage';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { binOf } from '@tallygate/server/accounting/latency-histogram';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import type { UsageFilter, UsageSumsRow } from '@tallygate/server/store/store';

const DIMENSION = {
  project: 'projectId',
  key: 'apiKeyId',
  model: 'modelServed',
  provider: 'provider',
  account: 'accountId',
  status: 'status',
  source: 'source',
} as const satisfies Record<UsageGroup, keyof UsageEvent>;
const ERRORS = new Set(['client_error', 'upstream_error', 'timeout', 'rejected']);

/** The value an event is grouped by. */
export function groupKeyOf(event: UsageEvent, group: UsageGroup): string | null {
  return event[DIMENSION[group]];
}

/** Whether a filter takes an event: the definition, written again and plainly. */
export function matches(event: UsageEvent, filter: Partial<UsageFilter>): boolean {
  const one = (values: readonly string[] | undefined, value: string | null): boolean =>
    values === undefined || values.length === 0 || (value !== null && values.includes(value));
  return (
    event.startedAtMs >= (filter.fromMs ?? 0) &&
    event.startedAtMs < (filter.toMs ?? Number.POSITIVE_INFINITY) &&
    (filter.workspaceId ?? event.workspaceId) === event.workspaceId &&
    one(filter.projectIds, event.projectId) &&
    one(filter.apiKeyIds, event.apiKeyId) &&
    one(filter.userIds, event.userId) &&
    one(filter.models, event.modelServed) &&
    one(filter.providers, event.provider) &&
    one(filter.accountIds, event.accountId) &&
    one(filter.statuses, event.status) &&
    (filter.tags === undefined ||
      filter.tags.length === 0 ||
      event.tags.some((tag) => filter.tags?.includes(tag)))
  );
}

/** Sums computed one event at a time, sharing nothing with the store but the bins of the histogram. */
export function sumUp(events: readonly UsageEvent[]): UsageSumsRow {
  const sums: UsageSumsRow = {
    requests: 0,
    errors: 0,
    unpricedRequests: 0,
    unpricedTokens: 0,
    estimatedRequests: 0,
    interruptedRequests: 0,
    costNanoUsd: 0n,
    tokens: Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, 0])) as UsageSumsRow['tokens'],
    weightedTokens: 0,
    latencyBins: new Map(),
    ttftBins: new Map(),
  };
  const measure = (bins: Map<number, number>, ms: number | null): void => {
    if (ms !== null) bins.set(binOf(ms), (bins.get(binOf(ms)) ?? 0) + 1);
  };
  for (const event of events) {
    if (event.parentId === null) {
      sums.requests += 1;
      if (ERRORS.has(event.status)) sums.errors += 1;
      measure(sums.latencyBins, event.latencyMs);
      measure(sums.ttftBins, event.ttftMs);
    }
    if (event.settleStatus === 'estimated') sums.estimatedRequests += 1;
    if (event.settleStatus === 'interrupted') sums.interruptedRequests += 1;
    sums.costNanoUsd += event.costNanoUsd ?? 0n;
    sums.weightedTokens += event.weightedTokens ?? 0;
    if (event.priceStatus === 'unpriced') sums.unpricedRequests += 1;
    for (const bucket of TOKEN_BUCKETS) {
      const count = event.tokens[bucket] ?? 0;
      sums.tokens[bucket] += count;
      if (event.priceStatus === 'unpriced') sums.unpricedTokens += count;
    }
  }
  return sums;
}

/** Splits events by a key and sums each part up. */
export function sumUpBy<K>(
  events: readonly UsageEvent[],
  keyOf: (event: UsageEvent) => K,
): Map<K, UsageSumsRow> {
  const parts = new Map<K, UsageEvent[]>();
  for (const event of events) parts.set(keyOf(event), [...(parts.get(keyOf(event)) ?? []), event]);
  return new Map([...parts].map(([key, part]) => [key, sumUp(part)]));
}
