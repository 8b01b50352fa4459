import { createUrlChannel } from '../shared/url-channel.ts';
import { discordPayload } from './payload.ts';

export const discordChannel = createUrlChannel('discord', discordPayload);
