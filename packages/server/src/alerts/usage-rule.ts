import type { UsageCondition } from '@tallygate/contract/api/alerts';
import { parseUsd } from '@tallygate/contract/money';
import type { AlertFact } from '../store/ports/alerts.ts';
import type { UsageSumsRow } from '../store/store.ts';
import { amountText, basisOf, METRIC_WORDS, metricOf } from './amounts.ts';
import { trafficPage } from './pages.ts';
import type { Reading } from './reading.ts';
import type { AlertSources } from './sources.ts';
import type { TrafficScope } from './traffic-scope.ts';
import { WINDOW_WORDS, windowRange } from './window-range.ts';

const TOP = 3;
const RATES: readonly string[] = ['error_rate', 'latency_p95'];

/** The limit in the unit of `metricOf`. */
export function thresholdOf({ metric, threshold, thresholdUsd }: UsageCondition): number {
  return metric === 'spend' ? Number(parseUsd(thresholdUsd ?? '0')) : (threshold ?? 0);
}

/** Judges sums by a condition. Pure: the same sums, the same answer. */
export function judgeUsage(
  condition: UsageCondition,
  sums: UsageSumsRow,
  environment: TrafficScope['environment'],
): Reading {
  const { metric, window } = condition;
  const limit = thresholdOf(condition);
  const value = metricOf(metric, sums);
  const enough = !RATES.includes(metric) || basisOf(metric, sums) >= condition.minRequests;
  const firing = value !== null && enough && value >= limit;
  const when = WINDOW_WORDS[window];
  const name = METRIC_WORDS[metric];
  const measured = value === null ? 'not known' : amountText(metric, value);
  const verb = firing ? 'reached' : 'is';
  const tooFew = enough ? '' : ` ${basisOf(metric, sums)} requests are too few to tell.`;
  return {
    subject: environment,
    environment,
    firing,
    sinceMs: null,
    title: `${name} in ${environment} ${verb} ${measured} ${when}`,
    text: `${name} in ${environment} ${verb} ${measured} ${when}; the limit of this rule is ${amountText(metric, limit)}.${tooFew}`,
    facts: [
      { label: name, value: measured },
      { label: 'Limit', value: amountText(metric, limit) },
      { label: 'Requests', value: amountText('requests', sums.requests) },
      ...(metric === 'spend' && sums.unpricedRequests > 0
        ? [{ label: 'Not in the sum, without a price', value: String(sums.unpricedRequests) }]
        : []),
    ],
  };
}

/** Who and what brings it about most. Percentiles and rates name who has the most errors or requests. */
async function topContributors(
  sources: AlertSources,
  scope: TrafficScope,
  condition: UsageCondition,
  range: { fromMs: number; toMs: number },
): Promise<AlertFact[]> {
  const { metric } = condition;
  const ranked = metric === 'error_rate' ? 'errors' : metric === 'latency_p95' ? 'requests' : metric;
  const facts: AlertFact[] = [];
  for (const group of ['key', 'model'] as const) {
    const rows = await sources.usage.breakdown({ ...range, ...scope.filter }, group);
    const top = rows
      .map((row) => ({ key: row.groupKey, value: metricOf(ranked, row) ?? 0 }))
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value)
      .slice(0, TOP);
    const named = await Promise.all(
      top.map(
        async ({ key, value }) =>
          `${await sources.label(scope.filter.workspaceId ?? '', group, key)}: ${amountText(ranked, value)}`,
      ),
    );
    if (named.length > 0)
      facts.push({ label: group === 'key' ? 'Most by key' : 'Most by model', value: named.join(', ') });
  }
  return facts;
}

/** Reads a rule on usage, one reading an environment. */
export async function readUsage(
  sources: AlertSources,
  condition: UsageCondition,
  { scopes, nowMs }: { scopes: readonly TrafficScope[]; nowMs: number },
): Promise<Reading[]> {
  const range = windowRange(nowMs, condition);
  const readings: Reading[] = [];
  for (const scope of scopes) {
    const sums = await sources.usage.totals({ ...range, ...scope.filter });
    const reading = judgeUsage(condition, sums, scope.environment);
    const path = trafficPage(condition.metric, scope, range);
    readings.push({ ...reading, path, explain: () => topContributors(sources, scope, condition, range) });
  }
  return readings;
}
