import { defineCommand } from '../../command.ts';
import { optional, withDefault } from '../../options/option.ts';
import { integer, oneOf } from '../../options/parsers.ts';
import { formatInstant } from '../../output/numbers.ts';
import { DELIVERY_STATUSES } from './alert-input.ts';

export const alertsDeliveries = defineCommand({
  name: 'alerts deliveries',
  summary: 'What was sent, and how often it was tried',
  description: 'Lists deliveries, newest first, with what came of the last try. --json has every try.',
  options: {
    status: optional('STATUS', `Only ${DELIVERY_STATUSES.join(', ')}`, oneOf(DELIVERY_STATUSES)),
    limit: withDefault('20', 'N', 'At most this many', integer(1, 200)),
  },
  examples: [{ command: 'alerts deliveries --status dead', explains: 'What did not get through' }],
  async handler(context, { status, limit }) {
    const api = await context.connect('read');
    const query = { limit: String(limit), ...(status === undefined ? {} : { status }) };
    const { deliveries } = await api.alerts.deliveries(query);
    context.result({ deliveries }, () =>
      context.table(deliveries, [
        { header: 'CREATED (UTC)', value: (delivery) => formatInstant(delivery.createdAt) },
        { header: 'CHANNEL', value: (delivery) => delivery.channel.name },
        { header: 'STATUS', value: (delivery) => delivery.status },
        { header: 'TRIES', value: (delivery) => String(delivery.attempts) },
        { header: 'LAST', value: (delivery) => delivery.log.at(-1)?.message ?? '' },
        { header: 'WHAT', value: (delivery) => delivery.title },
        { header: 'ID', value: (delivery) => delivery.id },
      ]),
    );
    return undefined;
  },
});
