import type {
  AlertAccountCondition,
  AlertEventView,
  AlertMetric,
  AlertSeverity,
  AlertWindow,
  AnomalyGroup,
  AnomalyMetric,
  ChannelKind,
  DeliveryStatus,
  Sensitivity,
} from '@tallygate/contract/api/alerts';

/** What a rule can watch, as the form offers it: the metrics of traffic and the other kinds in one list. */
export type Watched = AlertMetric | 'budget' | 'forecast' | 'account' | 'security' | 'anomaly';

/** Complete by their types, and without the contract's schemas, as in `request-status`. */
export const WATCHED_WORDS: Record<Watched, string> = {
  spend: 'Spend reaches a limit',
  tokens: 'Tokens reach a limit',
  requests: 'Requests reach a limit',
  error_rate: 'Too many requests fail',
  latency_p95: 'Answers get slow (p95)',
  unpriced_requests: 'Requests have no price',
  budget: 'A budget is nearly used up',
  forecast: 'A budget will not last',
  account: 'An account has a problem',
  security: 'The security panel finds something',
  anomaly: 'Something is unusual',
};
export const LIMIT_WORDS: Record<AlertMetric, string> = {
  spend: 'US dollars',
  tokens: 'Tokens',
  requests: 'Requests',
  error_rate: 'Per cent of requests',
  latency_p95: 'Milliseconds',
  unpriced_requests: 'Requests',
};
export const WINDOW_WORDS: Record<AlertWindow, string> = {
  last_15_minutes: 'in 15 minutes',
  last_hour: 'in an hour',
  last_day: 'in 24 hours',
  hour: 'in a calendar hour',
  day: 'in a day',
  week: 'in a week',
  month: 'in a month',
};
export const ACCOUNT_WORDS: Record<AlertAccountCondition, string> = {
  needs_reauth: 'It needs a new sign-in',
  refused: 'Its provider refuses it',
  resting: 'It rests after failures',
  limited: 'It reached a limit of its provider',
};
export const SEVERITY_WORDS: Record<AlertSeverity, string> = {
  info: 'Notice',
  warning: 'Warning',
  critical: 'Critical',
};
export const ANOMALY_WORDS: Record<AnomalyMetric, string> = {
  spend: 'Spend',
  tokens: 'Tokens',
  requests: 'Requests',
  errors: 'Errors',
};
export const GROUP_WORDS: Record<AnomalyGroup, string> = {
  none: 'All together',
  project: 'Each project',
  key: 'Each key',
  model: 'Each model',
};
export const SENSITIVITY_WORDS: Record<Sensitivity, string> = {
  low: 'Only what is glaring',
  medium: 'What is clearly unusual',
  high: 'Also what is a little odd',
};
export const CHANNEL_WORDS: Record<ChannelKind, string> = {
  webhook: 'Webhook',
  slack: 'Slack',
  discord: 'Discord',
  teams: 'Microsoft Teams',
  email: 'E-mail',
  pagerduty: 'PagerDuty',
};
export const STATE_WORDS: Record<AlertEventView['state'], string> = {
  firing: 'Fired',
  recovered: 'Over',
  closed: 'No longer watched',
  test: 'Test',
};
export const DELIVERY_WORDS: Record<DeliveryStatus, string> = {
  pending: 'On its way',
  delivered: 'Delivered',
  dead: 'Given up',
};

/** Words as options of a select. */
export function optionsOf(words: Record<string, string>): { value: string; label: string }[] {
  return Object.entries(words).map(([value, label]) => ({ value, label }));
}
