import { createUrlChannel } from '../shared/url-channel.ts';
import { slackPayload } from './payload.ts';

export const slackChannel = createUrlChannel('slack', slackPayload);
