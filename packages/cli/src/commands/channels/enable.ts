import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const channelsEnable = defineCommand({
  name: 'channels enable',
  summary: 'Switch a channel on',
  description: 'Switches a channel on; rules that name it tell it again.',
  positionals: { channel: argument('CHANNEL', 'Id or name of the channel') },
  examples: [{ command: 'channels enable ops', explains: 'By name' }],
  async handler(context, { channel: wanted }) {
    const api = await context.connect('write');
    const found = findResource(wanted, (await api.alerts.channels()).channels, 'channel');
    const channel = await api.alerts.updateChannel(found.id, { enabled: true });
    context.result(channel, () => `Channel ${channel.name} is on.\n`);
    return undefined;
  },
});
