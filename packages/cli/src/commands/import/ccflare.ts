import { defineCommand } from '../../command.ts';
import { argument, flag } from '../../options/option.ts';
import { runImport } from './run-import.ts';

export const importCcflare = defineCommand({
  name: 'import ccflare',
  summary: 'Take over accounts and history of ccflare',
  description:
    'Reads a database of ccflare, which is not changed: accounts (what is readable there is sealed here; tiers become ' +
    'weights) and past requests, priced anew by the price book. Each comes once, however often this runs. Accounts that ' +
    'sign in with OAuth need the OAuth settings of the server; stop ccflare first, because a refresh token works in one ' +
    'program only.',
  positionals: { database: argument('DATABASE', 'Its file, usually ~/.config/ccflare/ccflare.db') },
  options: { dryRun: flag('Say what would be taken over, and change nothing') },
  examples: [
    { command: 'import ccflare ~/.config/ccflare/ccflare.db --dry-run', explains: 'What would come?' },
    {
      command: 'import ccflare ~/.config/ccflare/ccflare.db --json',
      explains: 'JSON: {"accounts":{"added",…},…}',
    },
  ],
  async handler(context, { database, dryRun }) {
    const { readCcflare } = await import('@tallygate/server/importers/read-ccflare');
    return runImport(context, () => readCcflare(database), { source: 'ccflare', dryRun });
  },
});
