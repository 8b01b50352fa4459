import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const channelsDisable = defineCommand({
  name: 'channels disable',
  summary: 'Switch a channel off',
  description:
    'Switches a channel off. What is on its way there is given up, and rules that name it tell it nothing until it is on again.',
  positionals: { channel: argument('CHANNEL', 'Id or name of the channel') },
  examples: [{ command: 'channels disable ops', explains: 'By name' }],
  async handler(context, { channel: wanted }) {
    const api = await context.connect('write');
    const found = findResource(wanted, (await api.alerts.channels()).channels, 'channel');
    const channel = await api.alerts.updateChannel(found.id, { enabled: false });
    context.result(channel, () => `Channel ${channel.name} is off.\n`);
    return undefined;
  },
});
