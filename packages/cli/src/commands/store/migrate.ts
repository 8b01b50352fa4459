import { CliError, usageError } from '../../cli-error.ts';
import { settleHolder } from '../../client/data-directory.ts';
import { namedServer } from '../../client/locate-server.ts';
import { defineCommand } from '../../command.ts';

export const storeMigrate = defineCommand({
  name: 'store migrate',
  summary: 'Bring the tables of the store up to this release',
  description:
    'Applies what is pending, in one transaction, and starts nothing. A server does the same when it starts; this is for ' +
    'installations whose server runs under a database role that may not change tables (see "store grant-role").',
  takesSettings: true,
  examples: [
    {
      command: 'store migrate',
      explains: 'Before a new release is started, with DB_URL as the role that owns the tables',
    },
  ],
  async handler(context) {
    if (namedServer(context.terminal, context.globals) !== null)
      throw usageError('A store is migrated from a machine that reaches it: leave out --server.');
    const settings = await context.settings();
    const holder = await settleHolder(settings, context.terminal.uid, 'write');
    if ('socketPath' in holder) {
      throw new CliError('conflict', 'The server is running on this data directory.', {
        why: 'It has migrated the store when it started.',
        fix: 'For a database that other servers use, name another data directory with --data-dir.',
      });
    }
    const { migrateStore } = await import('@tallygate/server/wire/store-upkeep');
    const done = await migrateStore(settings.config).finally(holder.release);
    context.result(done, () =>
      done.applied.length === 0
        ? `Nothing was pending: the schema has version ${done.schemaVersion}.\n`
        : `Applied ${done.applied.join(', ')}. The schema has version ${done.schemaVersion}.\n`,
    );
    return undefined;
  },
});
