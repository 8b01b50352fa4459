import type { ChannelKind, ChannelView, channelTarget } from '@tallygate/contract/api/alerts';
import type { z } from 'zod';

/** What the form holds: text as it is typed. */
export interface ChannelValues {
  kind: ChannelKind;
  name: string;
  url: string;
  routingKey: string;
  host: string;
  port: string;
  security: string;
  username: string;
  password: string;
  from: string;
  to: string;
  allowPrivate: boolean;
  titleTemplate: string;
  textTemplate: string;
}

export const NEW_CHANNEL: ChannelValues = {
  kind: 'webhook',
  name: '',
  url: '',
  routingKey: '',
  host: '',
  port: '587',
  security: 'starttls',
  username: '',
  password: '',
  from: '',
  to: '',
  allowPrivate: false,
  titleTemplate: '',
  textTemplate: '',
};

export function fromChannel(channel: ChannelView): ChannelValues {
  const { kind, name, allowPrivate, template } = channel;
  return {
    ...NEW_CHANNEL,
    kind,
    name,
    allowPrivate,
    titleTemplate: template?.title ?? '',
    textTemplate: template?.text ?? '',
  };
}

export function targetOf(values: ChannelValues): z.input<typeof channelTarget> {
  const { kind } = values;
  if (kind === 'pagerduty') return { kind, routingKey: values.routingKey.trim() };
  if (kind !== 'email') return { kind, url: values.url.trim() };
  const { host, port, security, username, password, from, to } = values;
  return {
    kind,
    host: host.trim(),
    port: Number(port),
    security: security as 'tls' | 'starttls' | 'none',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    from: from.trim(),
    to: to
      .split(',')
      .map((mailbox) => mailbox.trim())
      .filter((mailbox) => mailbox !== ''),
  };
}

/** True when the destination was typed anew; left empty, it stays what it is. */
export function hasNewTarget({ kind, url, routingKey, host }: ChannelValues): boolean {
  const typed = kind === 'email' ? host : kind === 'pagerduty' ? routingKey : url;
  return typed.trim() !== '';
}

export function templateOf({ titleTemplate, textTemplate }: ChannelValues) {
  const title = titleTemplate.trim() === '' ? null : titleTemplate;
  const text = textTemplate.trim() === '' ? null : textTemplate;
  return title === null && text === null ? null : { title, text };
}

/** The form's field for a path of the contract. */
export function fieldOf(path: string): string {
  const [head = '', second = ''] = path.split('.');
  if (head === 'target') return second === 'signingSecret' ? 'url' : second;
  return head === 'template' ? 'textTemplate' : head;
}
