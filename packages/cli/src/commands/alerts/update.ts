import type { Environment } from '@tallygate/contract/api/projects';
import { usageError } from '../../cli-error.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { givenOf } from '../../options/given.ts';
import { argument, flag, list, optional } from '../../options/option.ts';
import { integer, oneOf } from '../../options/parsers.ts';
import { ENVIRONMENTS } from '../projects/create.ts';
import {
  ACCOUNT_CONDITIONS,
  ALERT_WINDOWS,
  ANOMALY_GROUPS,
  ANOMALY_METRICS,
  changedCondition,
  SENSITIVITIES,
  SEVERITIES,
  WATCHED,
  type WatchOptions,
} from './alert-input.ts';
import { filterOf, TRAFFIC_OPTIONS } from './traffic-filter.ts';

const watching = {
  watch: optional('WHAT', `Something else to watch: ${WATCHED.join(', ')}`, oneOf(WATCHED)),
  reaches: optional('LIMIT', 'The limit: dollars, a count, per cent or milliseconds'),
  window: optional('WINDOW', `Over which time: ${ALERT_WINDOWS.join(', ')}`, oneOf(ALERT_WINDOWS)),
  timeZone: optional('ZONE', 'Where days begin, such as Europe/Berlin'),
  budget: optional('BUDGET', 'With budget and forecast: only this one (id or name)'),
  percent: list('PERCENTS', 'With budget: at which shares', integer(1, 1000)),
  includeHeld: flag('With budget: also count what is held for requests on their way'),
  account: list(
    'CONDITIONS',
    `With account: which of ${ACCOUNT_CONDITIONS.join(', ')}`,
    oneOf(ACCOUNT_CONDITIONS),
  ),
  metric: optional('METRIC', `With anomaly: of ${ANOMALY_METRICS.join(', ')}`, oneOf(ANOMALY_METRICS)),
  by: optional('GROUP', `With anomaly: each by itself: ${ANOMALY_GROUPS.join(', ')}`, oneOf(ANOMALY_GROUPS)),
  sensitivity: optional('LEVEL', `With anomaly: ${SENSITIVITIES.join(', ')}`, oneOf(SENSITIVITIES)),
};
type Watching = { [K in keyof WatchOptions]: WatchOptions[K] | undefined };

/** Of what a rule watches, what was given; lists and flags are left out when they say nothing. */
async function watchGiven(options: Watching, api: AdminApi): Promise<Partial<WatchOptions>> {
  const { watch, reaches, window, timeZone, metric, by, sensitivity } = options;
  const { percent = [], account = [], includeHeld, budget } = options;
  const budgets = budget === undefined ? [] : (await api.budgets.list()).budgets;
  return {
    ...givenOf({ watch, reaches, window, timeZone, metric, by, sensitivity }),
    ...(budget === undefined ? {} : { budget: findResource(budget, budgets, 'budget').id }),
    ...(percent.length === 0 ? {} : { percent }),
    ...(account.length === 0 ? {} : { account }),
    ...(includeHeld === true ? { includeHeld } : {}),
  };
}

export const alertsUpdate = defineCommand({
  name: 'alerts update',
  summary: 'Change what a rule watches and whom it tells',
  description:
    'Changes what is given and leaves the rest. Lists replace the ones before. A rule that fires goes on firing where the ' +
    'changed rule still holds, and is over where it does not.',
  positionals: { rule: argument('RULE', 'Id or name of the rule') },
  options: {
    name: optional('NAME', 'Another name'),
    ...watching,
    environment: optional(
      'ENVIRONMENT',
      `Only projects of one of ${ENVIRONMENTS.join(', ')}, or any`,
      oneOf<Environment | 'any'>([...ENVIRONMENTS, 'any']),
    ),
    ...TRAFFIC_OPTIONS,
    allTraffic: flag('Look at everything again: drop what it is narrowed to'),
    channel: list('CHANNELS', 'Whom to tell from now on: channels by id or name'),
    tellNobody: flag('Tell no channel; the rule still shows in the history'),
    severity: optional('SEVERITY', SEVERITIES.join(', '), oneOf(SEVERITIES)),
    cooldown: optional('MINUTES', 'How long to keep quiet after a notice', integer(0, 10_080)),
    recovery: optional('WHETHER', 'Tell when it is over: yes or no', oneOf(['yes', 'no'])),
  },
  examples: [
    { command: 'alerts update daily --reaches 75', explains: 'Another limit' },
    { command: 'alerts update daily --channel ops,mail --severity critical', explains: 'Tell more people' },
  ],
  async handler(context, args) {
    const api = await context.connect('write');
    const found = findResource(args.rule, (await api.alerts.rules()).rules, 'alert');
    const given = await watchGiven(args, api);
    const filter = await filterOf(args, api);
    const { channels } = args.channel.length === 0 ? { channels: [] } : await api.alerts.channels();
    const channelIds = args.channel.map((wanted) => findResource(wanted, channels, 'channel').id);
    const narrowed = args.allTraffic ? {} : { ...found.filter, ...filter };
    const change = {
      ...givenOf({ name: args.name, severity: args.severity, cooldownMinutes: args.cooldown }),
      ...(Object.keys(given).length === 0 ? {} : { condition: changedCondition(found.condition, given) }),
      ...(args.environment === undefined
        ? {}
        : { environment: args.environment === 'any' ? null : args.environment }),
      ...(args.allTraffic || Object.keys(filter).length > 0 ? { filter: narrowed } : {}),
      ...(args.tellNobody || channelIds.length > 0 ? { channelIds } : {}),
      ...(args.recovery === undefined ? {} : { notifyRecovery: args.recovery === 'yes' }),
    };
    if (Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'See: tallygate alerts update --help');
    const rule = await api.alerts.updateRule(found.id, change);
    context.result(rule, () => `Rule ${rule.name} is changed: ${rule.sentence}\n`);
    return undefined;
  },
});
