import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const channelsTest = defineCommand({
  name: 'channels test',
  summary: 'Send a test to a channel',
  description:
    'Sends a test to a channel at once and says what came of it. The exit code is 1 when it failed.',
  positionals: { channel: argument('CHANNEL', 'Id or name of the channel') },
  examples: [{ command: 'channels test ops', explains: 'By name' }],
  async handler(context, { channel: wanted }) {
    const api = await context.connect('write');
    const channel = findResource(wanted, (await api.alerts.channels()).channels, 'channel');
    const test = await api.alerts.testChannel(channel.id);
    context.result(test, () => `${test.ok ? 'Sent' : 'Failed'}: ${test.message} (${test.durationMs} ms)\n`);
    return test.ok ? undefined : 1;
  },
});
