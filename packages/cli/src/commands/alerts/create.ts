import type { Environment } from '@tallygate/contract/api/projects';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { flag, list, optional, required, withDefault } from '../../options/option.ts';
import { integer, oneOf } from '../../options/parsers.ts';
import { ENVIRONMENTS } from '../projects/create.ts';
import {
  ACCOUNT_CONDITIONS,
  ALERT_WINDOWS,
  ANOMALY_GROUPS,
  ANOMALY_METRICS,
  SENSITIVITIES,
  SEVERITIES,
  WATCHED,
  watchedBy,
} from './alert-input.ts';
import { filterOf, TRAFFIC_OPTIONS } from './traffic-filter.ts';

const watching = {
  watch: required('WHAT', `What to watch: ${WATCHED.join(', ')}`, oneOf(WATCHED)),
  reaches: optional('LIMIT', 'The limit: dollars, a count, per cent or milliseconds'),
  window: withDefault('day', 'WINDOW', `Over which time: ${ALERT_WINDOWS.join(', ')}`, oneOf(ALERT_WINDOWS)),
  timeZone: optional('ZONE', 'Where days begin, such as Europe/Berlin (default: UTC)'),
  budget: optional('BUDGET', 'With budget and forecast: only this one (id or name)'),
  percent: list('PERCENTS', 'With budget: at which shares (default: 50,75,90,100)', integer(1, 1000)),
  includeHeld: flag('With budget: also count what is held for requests on their way'),
  account: list(
    'CONDITIONS',
    `With account: which of ${ACCOUNT_CONDITIONS.join(', ')} (default: all)`,
    oneOf(ACCOUNT_CONDITIONS),
  ),
  metric: withDefault(
    'spend',
    'METRIC',
    `With anomaly: of ${ANOMALY_METRICS.join(', ')}`,
    oneOf(ANOMALY_METRICS),
  ),
  by: withDefault(
    'none',
    'GROUP',
    `With anomaly: each by itself: ${ANOMALY_GROUPS.join(', ')}`,
    oneOf(ANOMALY_GROUPS),
  ),
  sensitivity: withDefault(
    'medium',
    'LEVEL',
    `With anomaly: ${SENSITIVITIES.join(', ')}`,
    oneOf(SENSITIVITIES),
  ),
};

export const alertsCreate = defineCommand({
  name: 'alerts create',
  summary: 'Watch something and tell people when it happens',
  description:
    'Creates a rule. It tells its channels once when what it watches happens, and once more when it is over. Without ' +
    '--environment every environment is watched by itself; their figures are never added up.',
  options: {
    name: required('NAME', 'What to call the rule'),
    ...watching,
    environment: optional(
      'ENVIRONMENT',
      `Only projects of one of ${ENVIRONMENTS.join(', ')}`,
      oneOf<Environment>(ENVIRONMENTS),
    ),
    ...TRAFFIC_OPTIONS,
    channel: list('CHANNELS', 'Whom to tell: channels by id or name'),
    severity: withDefault('warning', 'SEVERITY', `${SEVERITIES.join(', ')}`, oneOf(SEVERITIES)),
    cooldown: withDefault('60', 'MINUTES', 'How long to keep quiet after a notice', integer(0, 10_080)),
    recovery: withDefault('yes', 'WHETHER', 'Tell when it is over: yes or no', oneOf(['yes', 'no'])),
  },
  examples: [
    {
      command: 'alerts create --name daily --watch spend --reaches 50 --window day --channel ops',
      explains: 'Fifty dollars in a day, in any environment',
    },
    {
      command: 'alerts create --name budgets --watch budget --channel ops',
      explains: 'Every budget, at four steps',
    },
    {
      command: 'alerts create --name odd --watch anomaly --metric spend --by key --environment production',
      explains: 'A key of production that spends far more than usual',
    },
  ],
  async handler(context, args) {
    const api = await context.connect('write');
    const { channels } = args.channel.length === 0 ? { channels: [] } : await api.alerts.channels();
    const { budgets } = args.budget === undefined ? { budgets: [] } : await api.budgets.list();
    const budget = args.budget === undefined ? undefined : findResource(args.budget, budgets, 'budget').id;
    const rule = await api.alerts.createRule({
      name: args.name,
      condition: watchedBy({ ...args, budget }),
      environment: args.environment ?? null,
      filter: await filterOf(args, api),
      channelIds: args.channel.map((wanted) => findResource(wanted, channels, 'channel').id),
      severity: args.severity,
      cooldownMinutes: args.cooldown,
      notifyRecovery: args.recovery === 'yes',
    });
    context.result(rule, () => `Rule ${rule.name}: ${rule.sentence}\nId: ${rule.id}\n`);
    return undefined;
  },
});
