import type { TimeseriesView, TotalsView, UsageSums, UsageTimes } from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import { TOKEN_BUCKETS, type TokenBucket } from '@tallygate/contract/usage';
import { addToBin, countOf, type LatencyBins, quantile, sumMs } from '../../accounting/latency-histogram.ts';
import type { UsageSumsRow } from '../../store/store.ts';
import { toIso } from '../instant.ts';

const CACHE_READ: readonly TokenBucket[] = ['cacheRead', 'cacheReadAudio'];
const OUTPUT: readonly TokenBucket[] = ['outputVisible', 'outputReasoning', 'outputAudio', 'outputImage'];
const INPUT: readonly TokenBucket[] = TOKEN_BUCKETS.filter((bucket) => !OUTPUT.includes(bucket));

const sumOf = (row: UsageSumsRow, buckets: readonly TokenBucket[]): number =>
  buckets.reduce((total, bucket) => total + row.tokens[bucket], 0);

type LatencyView = TotalsView['totals']['latency'];

function latencyView(bins: LatencyBins): LatencyView {
  return {
    count: countOf(bins),
    p50Ms: quantile(bins, 0.5),
    p95Ms: quantile(bins, 0.95),
    p99Ms: quantile(bins, 0.99),
  };
}

/** Sums as the API shows them; money as exact text. */
export function sumsView(row: UsageSumsRow): UsageSums {
  const input = sumOf(row, INPUT);
  return {
    requests: row.requests,
    errors: row.errors,
    unpricedRequests: row.unpricedRequests,
    unpricedTokens: row.unpricedTokens,
    estimatedRequests: row.estimatedRequests,
    interruptedRequests: row.interruptedRequests,
    costUsd: formatNanoUsd(row.costNanoUsd),
    tokens: row.tokens,
    totalTokens: sumOf(row, TOKEN_BUCKETS),
    weightedTokens: row.weightedTokens,
    cacheHitRatio: input === 0 ? null : sumOf(row, CACHE_READ) / input,
  };
}

/** How fast the requests of a row were answered (CF-11). */
export function timesView(row: UsageSumsRow): UsageTimes {
  const ms = sumMs(row.latencyBins);
  return {
    latency: latencyView(row.latencyBins),
    ttft: latencyView(row.ttftBins),
    outputTokensPerSecond: ms === 0 ? null : Math.round((sumOf(row, OUTPUT) / ms) * 10_000) / 10,
  };
}

/** Sums with latency and time to first token. */
export function totalsView(row: UsageSumsRow): TotalsView['totals'] {
  return { ...sumsView(row), ...timesView(row) };
}

type PointView = TimeseriesView['series'][number]['points'][number];

export function pointView(bucketStartMs: number, row: UsageSumsRow): PointView {
  return {
    at: toIso(bucketStartMs),
    requests: row.requests,
    errors: row.errors,
    unpricedRequests: row.unpricedRequests,
    costUsd: formatNanoUsd(row.costNanoUsd),
    totalTokens: sumOf(row, TOKEN_BUCKETS),
    weightedTokens: row.weightedTokens,
    cacheReadTokens: sumOf(row, CACHE_READ),
    inputTokens: sumOf(row, INPUT),
    outputTokens: sumOf(row, OUTPUT),
    latencyP50Ms: quantile(row.latencyBins, 0.5),
    latencyP95Ms: quantile(row.latencyBins, 0.95),
    ttftP50Ms: quantile(row.ttftBins, 0.5),
  };
}

function mergedBins(a: LatencyBins, b: LatencyBins): LatencyBins {
  const bins: LatencyBins = new Map(a);
  for (const [bin, count] of b) addToBin(bins, bin, count);
  return bins;
}

/** The sum of two sums; neither is changed. */
export function addSums(a: UsageSumsRow, b: UsageSumsRow): UsageSumsRow {
  const tokens = { ...a.tokens };
  for (const bucket of TOKEN_BUCKETS) tokens[bucket] += b.tokens[bucket];
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    unpricedRequests: a.unpricedRequests + b.unpricedRequests,
    unpricedTokens: a.unpricedTokens + b.unpricedTokens,
    estimatedRequests: a.estimatedRequests + b.estimatedRequests,
    interruptedRequests: a.interruptedRequests + b.interruptedRequests,
    costNanoUsd: a.costNanoUsd + b.costNanoUsd,
    tokens,
    weightedTokens: a.weightedTokens + b.weightedTokens,
    latencyBins: mergedBins(a.latencyBins, b.latencyBins),
    ttftBins: mergedBins(a.ttftBins, b.ttftBins),
  };
}

/** Higher spend first, then more tokens; unpriced traffic has no spend and is ranked by its tokens. */
export function byCostThenTokens(a: UsageSumsRow, b: UsageSumsRow): number {
  if (a.costNanoUsd !== b.costNanoUsd) return a.costNanoUsd < b.costNanoUsd ? 1 : -1;
  return sumOf(b, TOKEN_BUCKETS) - sumOf(a, TOKEN_BUCKETS) || b.requests - a.requests;
}
