import { defineCommand } from '../../command.ts';
import { argument, flag } from '../../options/option.ts';
import { showEntryLink } from './entry-link.ts';
import { findUser } from './find-user.ts';

export const usersResetPassword = defineCommand({
  name: 'users reset-password',
  summary: 'Make a one-time link for a new password',
  description:
    'Makes a link with which the user sets a new password, good for one day and shown this once. The old password ' +
    'works until it is used. The second factor stays, unless it is removed as well.',
  positionals: { user: argument('USER', 'Id or name of the user') },
  options: { secondFactor: flag('Remove the second factor too, for a lost phone; ends the sessions') },
  examples: [
    { command: 'users reset-password mira', explains: 'A forgotten password' },
    { command: 'users reset-password mira --second-factor', explains: 'A lost phone as well' },
  ],
  async handler(context, { user, secondFactor }) {
    const api = await context.connect('write');
    const found = await findUser(api, user);
    const link = await api.users.resetPassword(found.id);
    if (secondFactor) await api.users.removeSecondFactor(found.id);
    await showEntryLink(context, link, `${found.username} sets a new password there.`);
    return undefined;
  },
});
