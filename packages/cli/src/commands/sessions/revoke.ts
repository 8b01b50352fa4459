import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findUser } from '../users/find-user.ts';

export const sessionsRevoke = defineCommand({
  name: 'sessions revoke',
  summary: 'End one session, or all of a user',
  description:
    'Ends a session on the server: its cookie is worthless from now on. Live views it holds open end too.',
  positionals: { session: argument('SESSION', 'Id of a session, or id or name of a user for all of theirs') },
  examples: [
    { command: 'sessions revoke mira', explains: 'Sign Mira out everywhere' },
    { command: 'sessions revoke 3f0c9a41d2… --json', explains: 'One session: {"ended":1}' },
  ],
  async handler(context, { session }) {
    const api = await context.connect('write');
    const { sessions } = await api.sessions.list();
    const one = sessions.find((candidate) => candidate.id === session);
    let ended = 1;
    let whose = one?.user.username ?? '';
    if (one !== undefined) {
      await api.sessions.end(one.id);
    } else {
      const user = await findUser(api, session);
      whose = user.username;
      ({ ended } = await api.sessions.endOf(user.id));
    }
    context.result({ ended }, () => `${ended} ${ended === 1 ? 'session' : 'sessions'} of ${whose} ended.\n`);
    return undefined;
  },
});
