import { defineCommand } from '../../command.ts';
import { partsText } from './rule-text.ts';

export const rulesList = defineCommand({
  name: 'rules list',
  summary: 'List rules in the order in which they are tried',
  description:
    'Lists every rule with what it matches and what it does. The first that matches a request applies.',
  examples: [
    { command: 'rules list', explains: 'Every rule' },
    { command: 'rules list --json', explains: 'With all of their parts' },
  ],
  async handler(context) {
    const api = await context.connect('read');
    const { rules } = await api.rules.list();
    context.result({ rules }, () =>
      rules.length === 0
        ? 'No rules: requests go where accounts and models lead. Add one: tallygate rules add rule.json\n'
        : context.table(rules, [
            { header: 'ID', value: (rule) => rule.id },
            { header: 'NAME', value: (rule) => rule.name },
            { header: 'STATE', value: (rule) => (rule.enabled ? 'on' : 'off') },
            { header: 'WHEN', value: (rule) => partsText(rule.conditions) },
            { header: 'THEN', value: (rule) => partsText(rule.actions) },
          ]),
    );
    return undefined;
  },
});
