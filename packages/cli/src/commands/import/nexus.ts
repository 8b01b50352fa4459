import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument, flag, optional, optionalArgument } from '../../options/option.ts';
import { environmentName } from '../../options/parsers.ts';
import { runImport } from './run-import.ts';

export const importNexus = defineCommand({
  name: 'import nexus',
  summary: 'Take over accounts, client keys and history of claude-nexus-proxy',
  description:
    'Reads a folder of credential files and, when its address is given, the database; neither is changed. An address with ' +
    'a password belongs into a variable: other users of the machine can read command lines. ' +
    'Accounts are sealed; client keys go on working and only their hashes are kept; each domain becomes a project; past ' +
    'requests are priced by the price book. Each comes once, however often this runs. Stop the other proxy first: a ' +
    'refresh token works in one program only.',
  positionals: {
    credentials: argument('FOLDER', 'Its folder of <domain>.credentials.json files'),
    databaseUrl: optionalArgument('DATABASE_URL', 'Address of its database'),
  },
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
  async handler(context, { credentials, databaseUrl = null, databaseUrlEnv, dryRun }) {
    if (databaseUrl !== null && databaseUrlEnv !== undefined)
      throw usageError('The database is named twice.', 'Give DATABASE_URL or --database-url-env, not both.');
    const url = databaseUrlEnv === undefined ? databaseUrl : context.secretFromEnvironment(databaseUrlEnv);
    const { readNexus } = await import('@tallygate/server/importers/read-nexus');
    return runImport(context, () => readNexus(credentials, url), { source: 'nexus', dryRun });
  },
});
