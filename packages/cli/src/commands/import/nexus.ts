import { defineCommand } from '../../command.ts';
import { argument, flag, optional } from '../../options/option.ts';
import { environmentName } from '../../options/parsers.ts';
import { runImport } from './run-import.ts';

export const importNexus = defineCommand({
  name: 'import nexus',
  summary: 'Take over accounts, client keys and history of claude-nexus-proxy',
  description:
    'Reads a folder of credential files and, when its address is given in a variable, the database; neither is changed. ' +
    'Accounts are sealed; client keys go on working and only their hashes are kept; each domain becomes a project; past ' +
    'requests are priced by the price book. Each comes once, however often this runs. Stop the other proxy first: a ' +
    'refresh token works in one program only.',
  positionals: { credentials: argument('FOLDER', 'Its folder of <domain>.credentials.json files') },
  options: {
    databaseUrlEnv: optional(
      'VAR',
      'Environment variable that holds the address of its database',
      environmentName,
    ),
    dryRun: flag('Say what would be taken over, and change nothing'),
  },
  examples: [
    { command: 'import nexus ./credentials --dry-run', explains: 'What would come?' },
    {
      command: 'import nexus ./credentials --database-url-env DATABASE_URL --json',
      explains: 'With history; JSON: {"accounts":{"added",…},…}',
    },
  ],
  async handler(context, { credentials, databaseUrlEnv, dryRun }) {
    const url = databaseUrlEnv === undefined ? null : context.secretFromEnvironment(databaseUrlEnv);
    const { readNexus } = await import('@tallygate/server/importers/read-nexus');
    return runImport(context, () => readNexus(credentials, url), { source: 'nexus', dryRun });
  },
});
