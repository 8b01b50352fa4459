import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const alertsEnable = defineCommand({
  name: 'alerts enable',
  summary: 'Switch a rule on',
  description: 'Switches a rule on. A rule that is off judges nothing and tells nothing; it stays as it is.',
  positionals: { rule: argument('RULE', 'Id or name of the rule') },
  examples: [{ command: 'alerts enable daily', explains: 'By name' }],
  async handler(context, { rule: wanted }) {
    const api = await context.connect('write');
    const found = findResource(wanted, (await api.alerts.rules()).rules, 'alert');
    const rule = await api.alerts.updateRule(found.id, { enabled: true });
    context.result(rule, () => `Rule ${rule.name} is on.\n`);
    return undefined;
  },
});
