import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const alertsRemove = defineCommand({
  name: 'alerts remove',
  summary: 'Remove a rule',
  description: 'Removes a rule for good. What it has told stays in the history.',
  positionals: { rule: argument('RULE', 'Id or name of the rule') },
  examples: [{ command: 'alerts remove daily', explains: 'By name' }],
  async handler(context, { rule: wanted }) {
    const api = await context.connect('write');
    const rule = findResource(wanted, (await api.alerts.rules()).rules, 'alert');
    await api.alerts.removeRule(rule.id);
    context.result({ id: rule.id, removed: true }, () => `Rule ${rule.name} is removed.\n`);
    return undefined;
  },
});
