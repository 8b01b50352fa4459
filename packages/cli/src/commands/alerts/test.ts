import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const alertsTest = defineCommand({
  name: 'alerts test',
  summary: 'Try a rule on the last seven days',
  description:
    'Says how often a rule would have told people over the last seven days, as it is now. Nothing is told and nothing is ' +
    'stored. Whether a channel works is what channels test says.',
  positionals: { rule: argument('RULE', 'Id or name of the rule') },
  examples: [{ command: 'alerts test daily', explains: 'By name' }],
  async handler(context, { rule: wanted }) {
    const api = await context.connect('write');
    const rule = findResource(wanted, (await api.alerts.rules()).rules, 'alert');
    const { environment, filter, condition, cooldownMinutes } = rule;
    const result = await api.alerts.rehearseRule({ environment, filter, condition, cooldownMinutes });
    context.result(result, () => {
      if (result.told === null) return `That cannot be said. ${result.reason ?? ''}\n`;
      const times = result.told === 0 ? 'never' : result.told === 1 ? 'once' : `${result.told} times`;
      const lines = result.last.map(({ at, title }) => `  ${at}  ${title}\n`);
      return `In the last ${result.days} days it would have told people ${times}.\n${lines.join('')}`;
    });
    return undefined;
  },
});
