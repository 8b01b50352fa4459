import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findUser } from './find-user.ts';

export const usersRole = defineCommand({
  name: 'users role',
  summary: 'Give a user another role',
  description: 'Changes the role of a user, at once and for every open session. The last owner stays one.',
  positionals: {
    user: argument('USER', 'Id or name of the user'),
    role: argument('ROLE', 'The new role'),
  },
  examples: [{ command: 'users role mira manager', explains: 'Mira leads a team now' }],
  async handler(context, { user, role }) {
    const api = await context.connect('write');
    const found = await findUser(api, user);
    const changed = await api.users.update(found.id, { role });
    context.result(changed, () => `${changed.username} is ${changed.role} now.\n`);
    return undefined;
  },
});
