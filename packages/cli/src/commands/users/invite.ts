import { defineCommand } from '../../command.ts';
import { optional, required } from '../../options/option.ts';
import { durationMs } from '../../options/parsers.ts';
import { showEntryLink } from './entry-link.ts';

const HOUR_MS = 3600_000;

export const usersInvite = defineCommand({
  name: 'users invite',
  summary: 'Make a one-time link that lets somebody join',
  description:
    'Makes a link with which one person chooses a user name and a password. It is shown this once, works once, and ' +
    'needs no mail server: hand it over in any way you trust. You can only give a role whose permissions you hold.',
  options: {
    role: required('ROLE', 'owner, admin, manager, developer, viewer, auditor, or a role of your own'),
    note: optional('TEXT', 'Whom it is for, to recognise it in the list'),
    expires: optional('TIME', 'How long it works, 1h to 30d (default: 3d)', durationMs),
  },
  examples: [
    {
      command: 'users invite --role developer --note "Mira"',
      explains: 'For a developer, good for three days',
    },
    {
      command: 'users invite --role viewer --expires 1d --json',
      explains: 'As JSON: {"id","url","expiresAt"}',
    },
  ],
  async handler(context, { role, note, expires }) {
    const api = await context.connect('write');
    const link = await api.users.invite({
      role,
      ...(note === undefined ? {} : { note }),
      ...(expires === undefined ? {} : { expiresInHours: Math.ceil(expires / HOUR_MS) }),
    });
    await showEntryLink(context, link, `Whoever opens it joins as ${role}.`);
    return undefined;
  },
});
