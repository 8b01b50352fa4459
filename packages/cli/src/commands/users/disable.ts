import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findUser } from './find-user.ts';

export const usersDisable = defineCommand({
  name: 'users disable',
  summary: 'Keep a user from signing in',
  description: 'Ends every session of the user and lets them sign in no more, until they are enabled again.',
  positionals: { user: argument('USER', 'Id or name of the user') },
  examples: [{ command: 'users disable mira', explains: 'Mira is away' }],
  async handler(context, { user }) {
    const api = await context.connect('write');
    const found = await findUser(api, user);
    const changed = await api.users.update(found.id, { disabled: true });
    context.result(
      changed,
      () => `${changed.username} is disabled: signed out everywhere, and not let in again.\n`,
    );
    return undefined;
  },
});
