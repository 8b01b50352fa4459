import type {
  AlertAccountCondition,
  AlertCondition,
  AlertMetric,
  AlertSeverity,
  AlertWindow,
  AnomalyGroup,
  AnomalyMetric,
  alertCondition,
  ChannelKind,
  DeliveryStatus,
  Sensitivity,
} from '@tallygate/contract/api/alerts';
import type { z } from 'zod';
import { usageError } from '../../cli-error.ts';
import { dollars } from '../../options/parsers.ts';

/** A test checks these against the contract. */
export const METRICS = [
  'spend',
  'tokens',
  'requests',
  'error_rate',
  'latency_p95',
  'unpriced_requests',
] as const satisfies AlertMetric[];
export const OTHER_KINDS = ['budget', 'forecast', 'account', 'security', 'anomaly'] as const;
export const WATCHED = [...METRICS, ...OTHER_KINDS] as const;
export const ALERT_WINDOWS = [
  'last_15_minutes',
  'last_hour',
  'last_day',
  'hour',
  'day',
  'week',
  'month',
] as const satisfies AlertWindow[];
export const SEVERITIES = ['info', 'warning', 'critical'] as const satisfies AlertSeverity[];
export const SENSITIVITIES = ['low', 'medium', 'high'] as const satisfies Sensitivity[];
export const ANOMALY_METRICS = ['spend', 'tokens', 'requests', 'errors'] as const satisfies AnomalyMetric[];
export const ANOMALY_GROUPS = ['none', 'project', 'key', 'model'] as const satisfies AnomalyGroup[];
export const ACCOUNT_CONDITIONS = [
  'needs_reauth',
  'refused',
  'resting',
  'limited',
] as const satisfies AlertAccountCondition[];
export const CHANNEL_KINDS = [
  'webhook',
  'slack',
  'discord',
  'teams',
  'email',
  'pagerduty',
] as const satisfies ChannelKind[];
export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const satisfies DeliveryStatus[];

export interface WatchOptions {
  watch: (typeof WATCHED)[number];
  reaches: string | undefined;
  window: AlertWindow;
  timeZone: string | undefined;
  budget: string | undefined;
  percent: number[];
  includeHeld: boolean;
  account: AlertAccountCondition[];
  metric: AnomalyMetric;
  by: AnomalyGroup;
  sensitivity: Sensitivity;
}

function usageCondition(metric: AlertMetric, { reaches, window, timeZone }: WatchOptions) {
  if (reaches === undefined)
    throw usageError(`A rule on ${metric} needs a limit.`, 'Give --reaches, such as --reaches 50.');
  const zone = timeZone === undefined ? {} : { timeZone };
  if (metric === 'spend')
    return { kind: 'usage' as const, metric, window, ...zone, thresholdUsd: dollars(reaches, '--reaches') };
  const threshold = Number(reaches);
  if (!/^\d{1,15}(\.\d{1,6})?$/.test(reaches))
    throw usageError('--reaches takes a number: a count, per cent or milliseconds.');
  return { kind: 'usage' as const, metric, window, ...zone, threshold };
}

const DEFAULTS: Omit<WatchOptions, 'watch'> = {
  reaches: undefined,
  window: 'day',
  timeZone: undefined,
  budget: undefined,
  percent: [],
  includeHeld: false,
  account: [],
  metric: 'spend',
  by: 'none',
  sensitivity: 'medium',
};

/** The options that a condition could have been made with. */
export function optionsOf(condition: AlertCondition): WatchOptions {
  switch (condition.kind) {
    case 'usage': {
      const { metric, window, timeZone, threshold, thresholdUsd } = condition;
      return { ...DEFAULTS, watch: metric, window, timeZone, reaches: thresholdUsd ?? String(threshold) };
    }
    case 'budget': {
      const { budget, percents, basis } = condition;
      return { ...DEFAULTS, watch: 'budget', budget, percent: percents, includeHeld: basis !== 'spent' };
    }
    case 'forecast':
      return { ...DEFAULTS, watch: 'forecast', budget: condition.budget };
    case 'account':
      return { ...DEFAULTS, watch: 'account', account: condition.conditions };
    case 'security':
      return { ...DEFAULTS, watch: 'security' };
    case 'anomaly': {
      const { metric, by, sensitivity } = condition;
      return { ...DEFAULTS, watch: 'anomaly', metric, by, sensitivity };
    }
  }
}

/**
 * A condition with what was given changed. Another kind of rule begins anew; what the command line has no option for
 * stays as it is.
 */
export function changedCondition(
  before: AlertCondition,
  given: Partial<WatchOptions>,
): z.input<typeof alertCondition> {
  const { watch } = optionsOf(before);
  if (given.watch !== undefined && given.watch !== watch)
    return watchedBy({ ...DEFAULTS, ...given, watch: given.watch });
  const after = watchedBy({ ...optionsOf(before), ...given });
  if (before.kind === 'usage' && after.kind === 'usage') return { ...after, minRequests: before.minRequests };
  return before.kind === 'security' ? before : after;
}

/** What a rule watches, from the options of the command line. */
export function watchedBy(options: WatchOptions): z.input<typeof alertCondition> {
  const { watch, budget, percent, account, metric, by, sensitivity } = options;
  const only = budget === undefined ? {} : { budget };
  switch (watch) {
    case 'budget':
      return {
        kind: 'budget',
        ...only,
        ...(percent.length === 0 ? {} : { percents: percent }),
        ...(options.includeHeld ? { basis: 'spent_and_held' } : {}),
      };
    case 'forecast':
      return { kind: 'forecast', ...only };
    case 'account':
      return { kind: 'account', ...(account.length === 0 ? {} : { conditions: account }) };
    case 'security':
      return { kind: 'security' };
    case 'anomaly':
      return { kind: 'anomaly', metric, by, sensitivity };
    default:
      return usageCondition(watch, options);
  }
}
