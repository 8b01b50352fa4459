import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const channelsRemove = defineCommand({
  name: 'channels remove',
  summary: 'Remove a channel',
  description: 'Removes a channel for good. What is on its way there is not sent any more.',
  positionals: { channel: argument('CHANNEL', 'Id or name of the channel') },
  examples: [{ command: 'channels remove ops', explains: 'By name' }],
  async handler(context, { channel: wanted }) {
    const api = await context.connect('write');
    const channel = findResource(wanted, (await api.alerts.channels()).channels, 'channel');
    await api.alerts.removeChannel(channel.id);
    context.result({ id: channel.id, removed: true }, () => `Channel ${channel.name} is removed.\n`);
    return undefined;
  },
});
