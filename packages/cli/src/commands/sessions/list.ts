import { defineCommand } from '../../command.ts';
import { optional } from '../../options/option.ts';
import { formatInstant } from '../../output/numbers.ts';
import { findUser } from '../users/find-user.ts';
import { methodText } from './method-text.ts';

export const sessionsList = defineCommand({
  name: 'sessions list',
  summary: 'List who is signed in where',
  description: 'Lists the open sessions of everybody or of one user, most recently used first.',
  options: { user: optional('USER', 'Only those of this user, by id or name') },
  examples: [
    { command: 'sessions list', explains: 'Everybody' },
    { command: 'sessions list --user mira --json', explains: 'Of one user, as JSON: {"sessions":[…]}' },
  ],
  async handler(context, { user }) {
    const api = await context.connect('read');
    const wanted = user === undefined ? null : await findUser(api, user);
    const all = (await api.sessions.list()).sessions;
    const sessions = wanted === null ? all : all.filter((session) => session.user.id === wanted.id);
    context.result({ sessions }, () =>
      sessions.length === 0
        ? 'Nobody is signed in.\n'
        : context.table(sessions, [
            { header: 'ID', value: (session) => session.id },
            { header: 'USER', value: (session) => session.user.username },
            { header: 'SIGNED IN BY', value: (session) => methodText(session.method) },
            { header: 'ADDRESS', value: (session) => session.address ?? 'unknown' },
            { header: 'LAST USED (UTC)', value: (session) => formatInstant(session.lastSeenAt) },
            { header: 'SINCE (UTC)', value: (session) => formatInstant(session.createdAt) },
          ]),
    );
    return undefined;
  },
});
