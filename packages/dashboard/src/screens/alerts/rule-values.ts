import type {
  AlertCondition,
  AlertFilter,
  AlertRuleView,
  alertRuleCreateRequest,
} from '@tallygate/contract/api/alerts';
import type { z } from 'zod';
import { LIMIT_WORDS, type Watched } from './alert-words.ts';

/** What the form holds: text as it is typed. */
export interface RuleValues {
  name: string;
  watch: Watched;
  reaches: string;
  window: string;
  budget: string;
  percents: string;
  includeHeld: boolean;
  conditions: string[];
  onlyCritical: boolean;
  metric: string;
  by: string;
  sensitivity: string;
  environment: string;
  projects: string[];
  keys: string[];
  users: string[];
  models: string[];
  providers: string[];
  accounts: string[];
  tags: string[];
  channelIds: string[];
  severity: string;
  cooldown: string;
  notifyRecovery: boolean;
}

export const NEW_RULE: RuleValues = {
  name: '',
  watch: 'spend',
  reaches: '',
  window: 'day',
  budget: '',
  percents: '50, 75, 90, 100',
  includeHeld: false,
  conditions: ['needs_reauth', 'refused', 'resting', 'limited'],
  onlyCritical: false,
  metric: 'spend',
  by: 'none',
  sensitivity: 'medium',
  environment: '',
  projects: [],
  keys: [],
  users: [],
  models: [],
  providers: [],
  accounts: [],
  tags: [],
  channelIds: [],
  severity: 'warning',
  cooldown: '60',
  notifyRecovery: true,
};

/** What most people begin with. */
export const SUGGESTIONS: readonly { label: string; values: Partial<RuleValues> }[] = [
  { label: 'Spend in a day', values: { name: 'Daily spend', watch: 'spend', reaches: '50' } },
  { label: 'Budgets', values: { name: 'Budgets', watch: 'budget' } },
  { label: 'Security', values: { name: 'Security findings', watch: 'security' } },
  { label: 'Unusual spend', values: { name: 'Unusual spend', watch: 'anomaly', by: 'key' } },
];

export const isTraffic = (watch: Watched): boolean =>
  Object.hasOwn(LIMIT_WORDS, watch) || watch === 'anomaly';
export const hasEnvironment = (watch: Watched): boolean =>
  isTraffic(watch) || watch === 'budget' || watch === 'forecast';

const words = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

type RuleRequest = z.input<typeof alertRuleCreateRequest>;

function conditionOf(values: RuleValues): unknown {
  const { watch, budget } = values;
  const only = budget === '' ? {} : { budget };
  switch (watch) {
    case 'budget':
      return {
        kind: 'budget',
        ...only,
        percents: words(values.percents).map(Number),
        basis: values.includeHeld ? 'spent_and_held' : 'spent',
      };
    case 'forecast':
      return { kind: 'forecast', ...only };
    case 'account':
      return { kind: 'account', conditions: values.conditions };
    case 'security':
      return { kind: 'security', minSeverity: values.onlyCritical ? 'critical' : 'warning' };
    case 'anomaly':
      return { kind: 'anomaly', metric: values.metric, by: values.by, sensitivity: values.sensitivity };
    default:
      return usageOf(values);
  }
}

function usageOf({ watch, window, reaches }: RuleValues): unknown {
  const limit = reaches.trim().replace(/^\$/, '');
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const base = { kind: 'usage', metric: watch, window, timeZone };
  if (watch === 'spend') return { ...base, thresholdUsd: limit };
  return { ...base, threshold: limit === '' ? undefined : Number(limit) };
}

/** The lists that narrow a rule on traffic; what is empty narrows nothing. */
export const FILTER_FIELDS = [
  'projects',
  'keys',
  'users',
  'models',
  'providers',
  'accounts',
  'tags',
] as const satisfies (keyof AlertFilter)[];

function filterOf(values: RuleValues): AlertFilter {
  if (!isTraffic(values.watch)) return {};
  return Object.fromEntries(
    FILTER_FIELDS.map((name) => [name, values[name]] as const).filter(([, list]) => list.length > 0),
  );
}

/** What the server is asked for. Parts of a rule that the form does not show are kept as they are. */
export function toRuleRequest(values: RuleValues, before: AlertRuleView | null): RuleRequest {
  return {
    name: values.name,
    condition: keepHidden(conditionOf(values), before?.condition) as RuleRequest['condition'],
    environment: (values.environment === '' || !hasEnvironment(values.watch)
      ? null
      : values.environment) as RuleRequest['environment'],
    filter: filterOf(values),
    channelIds: values.channelIds,
    severity: values.severity as RuleRequest['severity'],
    cooldownMinutes: Number(values.cooldown),
    notifyRecovery: values.notifyRecovery,
  };
}

/** The time zone and the least number of requests of a rule stay when its limit is changed. */
function keepHidden(condition: unknown, before: AlertCondition | undefined): unknown {
  if (before?.kind !== 'usage') return condition;
  const next = condition as { kind: string };
  if (next.kind !== 'usage') return condition;
  return { ...next, timeZone: before.timeZone, minRequests: before.minRequests };
}

function fromCondition(condition: AlertCondition): Partial<RuleValues> {
  switch (condition.kind) {
    case 'usage': {
      const { metric, window, threshold, thresholdUsd } = condition;
      return { watch: metric, window, reaches: thresholdUsd ?? String(threshold ?? '') };
    }
    case 'budget':
      return {
        watch: 'budget',
        budget: condition.budget ?? '',
        percents: condition.percents.join(', '),
        includeHeld: condition.basis === 'spent_and_held',
      };
    case 'forecast':
      return { watch: 'forecast', budget: condition.budget ?? '' };
    case 'account':
      return { watch: 'account', conditions: condition.conditions };
    case 'security':
      return { watch: 'security', onlyCritical: condition.minSeverity === 'critical' };
    case 'anomaly':
      return { ...condition, watch: 'anomaly' };
  }
}

/** A rule as the form shows it. */
export function fromRule(rule: AlertRuleView): RuleValues {
  const { kind: _kind, ...shown } = { kind: '', ...fromCondition(rule.condition) };
  return {
    ...NEW_RULE,
    ...shown,
    name: rule.name,
    environment: rule.environment ?? '',
    ...Object.fromEntries(FILTER_FIELDS.map((name) => [name, rule.filter[name] ?? []])),
    channelIds: rule.channelIds,
    severity: rule.severity,
    cooldown: String(rule.cooldownMinutes),
    notifyRecovery: rule.notifyRecovery,
  };
}

const FIELD_OF: Readonly<Record<string, keyof RuleValues>> = {
  thresholdUsd: 'reaches',
  threshold: 'reaches',
  window: 'window',
  percents: 'percents',
  budget: 'budget',
  conditions: 'conditions',
};

/** The form's field for a path of the contract. */
export function fieldOf(path: string): string {
  const [head = '', second = ''] = path.split('.');
  if (head === 'condition') return FIELD_OF[second] ?? 'watch';
  if (head === 'filter') return FILTER_FIELDS.find((name) => name === second) ?? 'models';
  return head === 'cooldownMinutes' ? 'cooldown' : head;
}
