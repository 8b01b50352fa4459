import type { TimeseriesView } from '@tallygate/contract/api/usage';
import type { Metric } from '../../app/url/view-search.ts';
import { bucketGrid, type ChartModel, type ChartSeries, partialBuckets } from '../../ui/chart/chart-model.ts';
import { assignColors, OTHER_KEY } from '../../ui/chart/palette.ts';
import { usdToPixelsValue } from '../../ui/format/money.ts';

type Point = TimeseriesView['series'][number]['points'][number];
type Series = TimeseriesView['series'][number];

const STACKED: Record<'spend' | 'tokens' | 'requests' | 'errors', (point: Point) => number> = {
  spend: (point) => usdToPixelsValue(point.costUsd),
  tokens: (point) => point.totalTokens,
  requests: (point) => point.requests,
  errors: (point) => point.errors,
};

const LINES: Record<
  'latency' | 'cache',
  { key: string; label: string; of: (point: Point) => number | null }[]
> = {
  latency: [
    { key: 'p95', label: 'Latency p95', of: (point) => point.latencyP95Ms },
    { key: 'p50', label: 'Latency p50', of: (point) => point.latencyP50Ms },
    { key: 'ttft', label: 'TTFT p50', of: (point) => point.ttftP50Ms },
  ],
  cache: [
    {
      key: 'hit',
      label: 'Cache-hit share',
      of: (point) => (point.inputTokens === 0 ? null : point.cacheReadTokens / point.inputTokens),
    },
  ],
};
const LINE_COLORS: Record<string, string> = {
  p95: '--tg-c6',
  p50: '--tg-c1',
  ttft: '--tg-c2',
  hit: '--tg-c1',
};

/** Only sums can be stacked by model or project; a percentile of percentiles would be made up. */
export function isStacked(metric: Metric): metric is keyof typeof STACKED {
  return metric in STACKED;
}

/** Turns the API's series into what the chart draws. Buckets without traffic are gaps, not zeros. */
export function buildChart(
  series: Series[],
  metric: Metric,
  span: { fromMs: number; toMs: number; stepMs: number },
): ChartModel {
  const times = bucketGrid(span.fromMs, span.toMs, span.stepMs);
  const index = new Map(times.map((at, i) => [at, i]));
  const place = (points: Point[], of: (point: Point) => number | null): (number | null)[] => {
    const values: (number | null)[] = new Array(times.length).fill(null);
    for (const point of points) {
      const i = index.get(Date.parse(point.at));
      if (i !== undefined) values[i] = of(point);
    }
    return values;
  };
  const base = { times, stepMs: span.stepMs, partial: partialBuckets(times, span.stepMs, span) };
  if (!isStacked(metric)) {
    const points = series.flatMap((one) => one.points);
    const lines = LINES[metric].map(({ key, label, of }) => ({
      key,
      label,
      color: LINE_COLORS[key] ?? '--tg-c1',
      values: place(points, of),
    }));
    return { ...base, kind: 'lines', series: lines };
  }
  const colors = assignColors(series.map((one) => one.key));
  const stacked = series.map((one) => ({
    key: one.key,
    label: one.key === OTHER_KEY ? 'All others' : one.label || 'unknown',
    color: colors.get(one.key) ?? '--tg-c-other',
    values: place(one.points, STACKED[metric]),
    ...(metric === 'spend' && one.points.some((point) => point.unpricedRequests > 0)
      ? { unknown: 'unpriced' }
      : {}),
  }));
  return { ...base, kind: 'stacked', series: stacked };
}

/** Sum of a series over the whole range; for lines there is none. */
export function seriesTotal(series: ChartSeries): number {
  return series.values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
