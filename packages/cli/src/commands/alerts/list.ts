import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';

export const alertsList = defineCommand({
  name: 'alerts list',
  summary: 'List alert rules and what fires',
  description: 'Lists every rule in a sentence, whether it is on, and what fires at the moment.',
  examples: [{ command: 'alerts list', explains: 'Every rule' }],
  async handler(context) {
    const api = await context.connect('read');
    const { rules } = await api.alerts.rules();
    context.result({ rules }, () =>
      context.table(rules, [
        { header: 'NAME', value: (rule) => rule.name },
        { header: 'RULE', value: (rule) => rule.sentence },
        { header: 'ON', value: (rule) => (rule.enabled ? 'yes' : 'no') },
        { header: 'FIRING', value: (rule) => rule.firing.map(({ subject }) => subject).join(', ') },
        { header: 'LAST (UTC)', value: (rule) => formatInstant(rule.lastFiredAt) },
        { header: 'ID', value: (rule) => rule.id },
      ]),
    );
    return undefined;
  },
});
