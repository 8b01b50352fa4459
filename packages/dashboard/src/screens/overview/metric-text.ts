import type { Metric, Split } from '../../app/url/view-search.ts';
import { formatCount, formatPercent } from '../../ui/format/count.ts';
import { formatDuration } from '../../ui/format/duration.ts';
import { formatUsd, formatUsdAxis } from '../../ui/format/money.ts';

export const METRIC_LABELS: Record<Metric, string> = {
  spend: 'Spend',
  tokens: 'Tokens',
  requests: 'Requests',
  errors: 'Errors',
  latency: 'Latency',
  cache: 'Cache-hit share',
};
export const SPLIT_LABELS: Record<Split, string> = {
  model: 'Model',
  project: 'Project',
  key: 'Key',
  account: 'Account',
};

/** A value on the chart as text. Chart values are floats for drawing; exact figures stand in the table. */
export function formatMetric(metric: Metric, value: number): string {
  if (metric === 'spend') return formatUsd(value.toFixed(9));
  if (metric === 'latency') return formatDuration(value);
  if (metric === 'cache') return formatPercent(value);
  return formatCount(value);
}

/** The same, as short as an axis needs it. */
export function formatAxis(metric: Metric, value: number): string {
  if (metric === 'spend') return formatUsdAxis(value);
  if (metric === 'cache') return `${Math.round(value * 100)}\u00a0%`;
  if (metric === 'latency')
    return value >= 1000 ? `${Number((value / 1000).toFixed(1))}\u00a0s` : `${value}\u00a0ms`;
  return formatCount(value).replace(/\.?0+(?=\u00a0)/, '');
}
