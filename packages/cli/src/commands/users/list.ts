import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';
import { signInText } from './sign-in-text.ts';

export const usersList = defineCommand({
  name: 'users list',
  summary: 'List people who can sign in',
  description: 'Lists every user with role, state, what they sign in with and when they were last seen.',
  examples: [
    { command: 'users list', explains: 'Everybody' },
    { command: 'users list --json', explains: 'The same as JSON: {"users":[…]}' },
  ],
  async handler(context) {
    const api = await context.connect('read');
    const { users } = await api.users.list();
    context.result({ users }, () =>
      users.length === 0
        ? 'Nobody can sign in yet. Start the server and open the set-up link it prints.\n'
        : context.table(users, [
            { header: 'NAME', value: (user) => user.username },
            { header: 'ROLE', value: (user) => user.role },
            { header: 'STATE', value: (user) => (user.disabledAt === null ? 'active' : 'disabled') },
            { header: 'SECOND FACTOR', value: (user) => (user.secondFactor ? 'yes' : 'no') },
            { header: 'SIGN-IN', value: signInText },
            { header: 'LAST SEEN (UTC)', value: (user) => formatInstant(user.lastSeenAt) },
            { header: 'ID', value: (user) => user.id },
          ]),
    );
    return undefined;
  },
});
