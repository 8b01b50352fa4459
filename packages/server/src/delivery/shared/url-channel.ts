import type { ChannelKind, ChannelTarget } from '@tallygate/contract/api/alerts';
import { Secret } from '../../kernel/secret.ts';
import type { ChannelAdapter, ChannelSetup, Notice } from '../channel-adapter.ts';
import { httpPost } from './http-post.ts';

/** The destination of a URL: the path of a chat's hook is the permission to write there, so only the host is shown. */
export function urlEndpoint(text: string): Pick<ChannelSetup, 'destination' | 'endpoint'> {
  const url = new URL(text);
  const encrypted = url.protocol === 'https:';
  const port = Number(url.port) || (encrypted ? 443 : 80);
  return { destination: url.host, endpoint: { hostname: url.hostname, port, encrypted } };
}

/** A channel that is nothing but a secret URL and a JSON body. */
export function createUrlChannel(
  kind: Extract<ChannelKind, 'slack' | 'discord' | 'teams'>,
  payloadOf: (notice: Notice) => unknown,
): ChannelAdapter {
  const bodyOf = (notice: Notice): string => JSON.stringify(payloadOf(notice));
  return {
    kind,
    configure(target: ChannelTarget) {
      if (target.kind !== kind) return null;
      return { config: '{}', secret: new Secret(target.url), ...urlEndpoint(target.url), madeSecret: null };
    },
    render: (notice) => ({
      contentType: 'application/json',
      body: JSON.stringify(payloadOf(notice), null, 2),
    }),
    send: (notice, { secret, allowPrivate }, tools) =>
      httpPost({ url: secret?.reveal() ?? '', body: bodyOf(notice), allowPrivate }, tools),
  };
}
