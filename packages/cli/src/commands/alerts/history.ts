import { defineCommand } from '../../command.ts';
import { withDefault } from '../../options/option.ts';
import { integer } from '../../options/parsers.ts';
import { formatInstant } from '../../output/numbers.ts';

export const alertsHistory = defineCommand({
  name: 'alerts history',
  summary: 'What alerts have told',
  description: 'Lists what alerts have told, newest first: what fired, and what is over.',
  options: { limit: withDefault('20', 'N', 'At most this many', integer(1, 200)) },
  examples: [{ command: 'alerts history --limit 5', explains: 'The last five' }],
  async handler(context, { limit }) {
    const api = await context.connect('read');
    const { events } = await api.alerts.events({ limit: String(limit) });
    context.result({ events }, () =>
      context.table(events, [
        { header: 'WHEN (UTC)', value: (event) => formatInstant(event.at) },
        { header: 'STATE', value: (event) => event.state },
        { header: 'SEVERITY', value: (event) => event.severity },
        { header: 'ENVIRONMENT', value: (event) => event.environment ?? '' },
        { header: 'WHAT', value: (event) => event.title },
        { header: 'RULE', value: (event) => event.ruleName },
      ]),
    );
    return undefined;
  },
});
