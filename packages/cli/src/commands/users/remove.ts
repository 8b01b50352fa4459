import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findUser } from './find-user.ts';

export const usersRemove = defineCommand({
  name: 'users remove',
  summary: 'Remove a user for good',
  description:
    'Removes the user with sessions and second factor. What they did stays in the ledger. To keep somebody out for ' +
    'a while, disable them instead. The last owner cannot be removed.',
  positionals: { user: argument('USER', 'Id or name of the user') },
  examples: [{ command: 'users remove mira', explains: 'Remove by name' }],
  async handler(context, { user }) {
    const api = await context.connect('write');
    const found = await findUser(api, user);
    await api.users.remove(found.id);
    context.result({ id: found.id, removed: true }, () => `${found.username} is removed.\n`);
    return undefined;
  },
});
