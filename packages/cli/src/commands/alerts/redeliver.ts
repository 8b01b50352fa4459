import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const alertsRedeliver = defineCommand({
  name: 'alerts redeliver',
  summary: 'Send a finished delivery again',
  description:
    'Puts a delivery that is delivered or dead back on its way, with the same event id, and tries for another day. ' +
    'Without a server it is sent when one starts.',
  positionals: { delivery: argument('DELIVERY', 'Id of the delivery') },
  examples: [
    {
      command: 'alerts redeliver 019a8e5c-0000-7000-8000-000000000000',
      explains: 'By the id that deliveries shows',
    },
  ],
  async handler(context, { delivery: id }) {
    const api = await context.connect('write');
    const delivery = await api.alerts.redeliver(id);
    context.result(delivery, () => `Delivery ${delivery.id} to ${delivery.channel.name} is on its way.\n`);
    return undefined;
  },
});
