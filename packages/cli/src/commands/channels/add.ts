import { defineCommand } from '../../command.ts';
import { argument, flag, required } from '../../options/option.ts';
import { oneOf } from '../../options/parsers.ts';
import { CHANNEL_KINDS } from '../alerts/alert-input.ts';
import { TARGET_OPTIONS, targetOf } from './channel-target.ts';

export const channelsAdd = defineCommand({
  name: 'channels add',
  summary: 'Add a place that alerts go to',
  description:
    'Adds a channel. What is secret about it is read from environment variables, sealed, and never shown again. For a ' +
    'webhook a signing key is made and printed this once.',
  positionals: { kind: argument('KIND', CHANNEL_KINDS.join(', '), oneOf(CHANNEL_KINDS)) },
  options: {
    name: required('NAME', 'What to call the channel'),
    ...TARGET_OPTIONS,
    allowPrivate: flag('Permit an address on this machine or in a private network'),
  },
  examples: [
    { command: 'channels add slack --name ops --url-env SLACK_HOOK', explains: 'A channel of Slack' },
    {
      command:
        'channels add email --name mail --host smtp.example.com --username gate --password-env SMTP_PASSWORD --from gate@example.com --to ops@example.com',
      explains: 'Mail through an SMTP server',
    },
  ],
  async handler(context, { kind, name, allowPrivate, ...options }) {
    const target = targetOf(context, kind, options);
    const api = await context.connect('write');
    const channel = await api.alerts.createChannel({ name, target, allowPrivate });
    context.result(
      channel,
      () =>
        `Channel ${channel.name} (${channel.kind}, ${channel.destination}) is added. Id: ${channel.id}\n` +
        (channel.signingSecret === null ? '' : `Signing key, shown this once: ${channel.signingSecret}\n`) +
        `Try it: tallygate channels test ${channel.name}\n`,
    );
    return undefined;
  },
});
