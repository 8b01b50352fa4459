import { createUrlChannel } from '../shared/url-channel.ts';
import { teamsPayload } from './payload.ts';

export const teamsChannel = createUrlChannel('teams', teamsPayload);
