import { z } from 'zod';
import { Secret } from '../../kernel/secret.ts';
import type { ChannelAdapter } from '../channel-adapter.ts';
import { httpPost } from '../shared/http-post.ts';
import { urlEndpoint } from '../shared/url-channel.ts';
import { webhookPayload } from './payload.ts';
import { signatureHeaders, signingSecretText } from './signature.ts';

const KEY_BYTES = 32;
const sealed = z.object({ url: z.string(), signingSecret: z.string() });

/** Any HTTP receiver, signed as Standard Webhooks has it. */
export const webhookChannel: ChannelAdapter = {
  kind: 'webhook',
  configure(target, randomBytes) {
    if (target.kind !== 'webhook') return null;
    const made = target.signingSecret === undefined ? signingSecretText(randomBytes(KEY_BYTES)) : null;
    const signingSecret = target.signingSecret ?? made ?? '';
    return {
      config: '{}',
      secret: new Secret(JSON.stringify({ url: target.url, signingSecret })),
      ...urlEndpoint(target.url),
      madeSecret: made === null ? null : new Secret(made),
    };
  },
  render: (notice) => ({
    contentType: 'application/json',
    body: JSON.stringify(webhookPayload(notice), null, 2),
  }),
  async send(notice, { secret, allowPrivate }, tools) {
    const { url, signingSecret } = sealed.parse(JSON.parse(secret?.reveal() ?? '{}'));
    const body = JSON.stringify(webhookPayload(notice));
    // The time of this try, not of the event: receivers refuse what is too old to be a fresh call.
    const headers = signatureHeaders({ id: notice.eventId, atMs: tools.clock.now(), body }, signingSecret);
    return httpPost({ url, headers, body, allowPrivate }, tools);
  },
};
