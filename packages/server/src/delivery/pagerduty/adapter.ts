import { z } from 'zod';
import { Secret } from '../../kernel/secret.ts';
import type { ChannelAdapter } from '../channel-adapter.ts';
import { httpPost } from '../shared/http-post.ts';
import { urlEndpoint } from '../shared/url-channel.ts';
import { pagerdutyPayload } from './payload.ts';

const shown = z.object({ url: z.string() });

/** Incidents at PagerDuty and whatever speaks its events. */
export const pagerdutyChannel: ChannelAdapter = {
  kind: 'pagerduty',
  configure(target) {
    if (target.kind !== 'pagerduty') return null;
    return {
      config: JSON.stringify({ url: target.url }),
      secret: new Secret(target.routingKey),
      ...urlEndpoint(target.url),
      madeSecret: null,
    };
  },
  render: (notice) => ({
    contentType: 'application/json',
    body: JSON.stringify(pagerdutyPayload(notice, '(the integration key)'), null, 2),
  }),
  send(notice, { config, secret, allowPrivate }, tools) {
    const { url } = shown.parse(JSON.parse(config));
    const body = JSON.stringify(pagerdutyPayload(notice, secret?.reveal() ?? ''));
    return httpPost({ url, body, allowPrivate }, tools);
  },
};
