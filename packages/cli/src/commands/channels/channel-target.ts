import type { ChannelKind, channelTarget } from '@tallygate/contract/api/alerts';
import type { z } from 'zod';
import { usageError } from '../../cli-error.ts';
import type { CommandContext } from '../../context.ts';
import { list, optional } from '../../options/option.ts';
import { environmentName, integer, oneOf } from '../../options/parsers.ts';

const SECURITY = ['tls', 'starttls', 'none'] as const;

export interface TargetOptions {
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
export function targetOf(
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

/** Where a channel goes; what is secret about it is named by its variable. */
export const TARGET_OPTIONS = {
  urlEnv: optional('VAR', 'Environment variable that holds the URL of the hook', environmentName),
  routingKeyEnv: optional('VAR', 'With pagerduty: variable that holds the integration key', environmentName),
  host: optional('HOST', 'With email: the SMTP server'),
  port: optional('PORT', 'With email: its port (default: 587, or 465 with tls)', integer(1, 65_535)),
  security: optional('HOW', `With email: ${SECURITY.join(', ')} (default: starttls)`, oneOf(SECURITY)),
  username: optional('NAME', 'With email: whom to sign in as'),
  passwordEnv: optional('VAR', 'With email: variable that holds the password', environmentName),
  from: optional('MAILBOX', 'With email: the sender'),
  to: list('MAILBOXES', 'With email: whom to write to'),
};
