import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findUser } from './find-user.ts';

export const usersEnable = defineCommand({
  name: 'users enable',
  summary: 'Let a disabled user sign in again',
  description: 'Lets a user who was disabled sign in again, with the password they had.',
  positionals: { user: argument('USER', 'Id or name of the user') },
  examples: [{ command: 'users enable mira', explains: 'Mira is back' }],
  async handler(context, { user }) {
    const api = await context.connect('write');
    const found = await findUser(api, user);
    const changed = await api.users.update(found.id, { disabled: false });
    context.result(changed, () => `${changed.username} can sign in again.\n`);
    return undefined;
  },
});
