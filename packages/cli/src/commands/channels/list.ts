import { defineCommand } from '../../command.ts';

export const channelsList = defineCommand({
  name: 'channels list',
  summary: 'List where alerts go',
  description: 'Lists the channels. What is secret about them is never shown.',
  examples: [{ command: 'channels list', explains: 'Every channel' }],
  async handler(context) {
    const api = await context.connect('read');
    const { channels } = await api.alerts.channels();
    context.result({ channels }, () =>
      context.table(channels, [
        { header: 'NAME', value: (channel) => channel.name },
        { header: 'KIND', value: (channel) => channel.kind },
        { header: 'GOES TO', value: (channel) => channel.destination },
        { header: 'ON', value: (channel) => (channel.enabled ? 'yes' : 'no') },
        { header: 'ID', value: (channel) => channel.id },
      ]),
    );
    return undefined;
  },
});
