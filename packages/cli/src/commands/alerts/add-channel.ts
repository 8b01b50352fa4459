import type { ChannelKind, channelTarget } from '@tallygate/contract/api/alerts';
import type { z } from 'zod';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { argument, flag, list, optional, required } from '../../options/option.ts';
import { environmentName, integer, oneOf } from '../../options/parsers.ts';
import { CHANNEL_KINDS } from './alert-input.ts';

const SECURITY = ['tls', 'starttls', 'none'] as const;

interface TargetOptions {
  urlEnv: string | undefined;
  routingKeyEnv: string | undefined;
  host: string | undefined;
  port: number | undefined;
  security: (typeof SECURITY)[number] | undefined;
  username: string | undefined;
  passwordEnv: string | undefined;
  from: string | undefined;
  to: string[];
}

function needed<T>(value: T | undefined, option: string, kind: ChannelKind): T {
  if (value !== undefined) return value;
  throw usageError(`A channel of kind ${kind} needs ${option}.`);
}

function mailTarget(context: CommandContext, options: TargetOptions) {
  const { host, port, security, username, passwordEnv, from, to } = options;
  const password = passwordEnv === undefined ? undefined : context.secretFromEnvironment(passwordEnv);
  return {
    kind: 'email' as const,
    host: needed(host, '--host', 'email'),
    port: port ?? (security === 'tls' ? 465 : 587),
    security: security ?? ('starttls' as const),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    from: needed(from, '--from', 'email'),
    to,
  };
}

/** What is secret comes from a variable, so that it is in no history of a shell. */
function targetOf(
  context: CommandContext,
  kind: ChannelKind,
  options: TargetOptions,
): z.input<typeof channelTarget> {
  if (kind === 'email') return mailTarget(context, options);
  if (kind === 'pagerduty') {
    const variable = needed(options.routingKeyEnv, '--routing-key-env', kind);
    return { kind, routingKey: context.secretFromEnvironment(variable) };
  }
  return { kind, url: context.secretFromEnvironment(needed(options.urlEnv, '--url-env', kind)) };
}

export const alertsAddChannel = defineCommand({
  name: 'alerts add-channel',
  summary: 'Add a place that alerts go to',
  description:
    'Adds a channel. What is secret about it is read from environment variables, sealed, and never shown again. For a ' +
    'webhook a signing key is made and printed this once.',
  positionals: { kind: argument('KIND', CHANNEL_KINDS.join(', '), oneOf(CHANNEL_KINDS)) },
  options: {
    name: required('NAME', 'What to call the channel'),
    urlEnv: optional('VAR', 'Environment variable that holds the URL of the hook', environmentName),
    routingKeyEnv: optional(
      'VAR',
      'With pagerduty: variable that holds the integration key',
      environmentName,
    ),
    host: optional('HOST', 'With email: the SMTP server'),
    port: optional('PORT', 'With email: its port (default: 587, or 465 with tls)', integer(1, 65_535)),
    security: optional('HOW', `With email: ${SECURITY.join(', ')} (default: starttls)`, oneOf(SECURITY)),
    username: optional('NAME', 'With email: whom to sign in as'),
    passwordEnv: optional('VAR', 'With email: variable that holds the password', environmentName),
    from: optional('MAILBOX', 'With email: the sender'),
    to: list('MAILBOXES', 'With email: whom to write to'),
    allowPrivate: flag('Permit an address on this machine or in a private network'),
  },
  examples: [
    { command: 'alerts add-channel slack --name ops --url-env SLACK_HOOK', explains: 'A channel of Slack' },
    {
      command:
        'alerts add-channel email --name mail --host smtp.example.com --username gate --password-env SMTP_PASSWORD --from gate@example.com --to ops@example.com',
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
        `Try it: tallygate alerts test ${channel.name}\n`,
    );
    return undefined;
  },
});
