import { REVOKE_SESSIONS_CONFIRMATION } from '@tallygate/contract/api/incident';
import { defineCommand } from '../../command.ts';

export const incidentRevokeSessions = defineCommand({
  name: 'incident revoke-sessions',
  summary: 'Sign everybody out',
  description: 'Ends every session of the dashboard on the server: every cookie is worthless from now on.',
  examples: [{ command: 'incident revoke-sessions', explains: 'When a laptop is gone' }],
  async handler(context) {
    const api = await context.connect('write');
    const done = await api.incident.revokeSessions({ confirm: REVOKE_SESSIONS_CONFIRMATION });
    context.result(done, () => `${done.ended} sessions are ended. Everybody signs in again.\n`);
    return undefined;
  },
});
