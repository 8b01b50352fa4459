import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const alertsDisable = defineCommand({
  name: 'alerts disable',
  summary: 'Switch a rule off',
  description: 'Switches a rule off. A rule that is off judges nothing and tells nothing; it stays as it is.',
  positionals: { rule: argument('RULE', 'Id or name of the rule') },
  examples: [{ command: 'alerts disable daily', explains: 'By name' }],
  async handler(context, { rule: wanted }) {
    const api = await context.connect('write');
    const found = findResource(wanted, (await api.alerts.rules()).rules, 'alert');
    const rule = await api.alerts.updateRule(found.id, { enabled: false });
    context.result(rule, () => `Rule ${rule.name} is off.\n`);
    return undefined;
  },
});
