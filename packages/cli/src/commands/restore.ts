import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatNanoUsd } from '@tallygate/contract/money';
import { CliError, usageError } from '../cli-error.ts';
import { settleHolder } from '../client/data-directory.ts';
import { namedServer } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import { argument } from '../options/option.ts';
import { formatCount } from '../output/numbers.ts';

export const restore = defineCommand({
  name: 'restore',
  summary: 'Restore a backup into an empty store',
  description:
    'Reads a backup into the store of the data directory (or the database in the settings) and proves that totals are ' +
    'equal. The server must be stopped and the store must not hold requests yet: nothing is ever overwritten. To ' +
    'use the upstream credentials in it, put the master key back as well.',
  takesSettings: true,
  positionals: { path: argument('PATH', 'File that "tallygate backup" wrote') },
  examples: [
    {
      command: 'restore /backups/tallygate-2026-11-01.backup --data-dir ./new',
      explains: 'Into a new data directory',
    },
  ],
  async handler(context, { path }) {
    if (namedServer(context.terminal, context.globals) !== null) {
      throw usageError('A backup is restored on the machine of the server: leave out --server.');
    }
    const file = resolve(context.terminal.cwd, path);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw new CliError('backup_missing', `There is no backup file at ${file}.`);
    }
    const settings = await context.settings();
    const holder = await settleHolder(settings, context.terminal.uid, 'write');
    if ('socketPath' in holder) {
      throw new CliError('conflict', 'The server is running on this data directory.', {
        why: 'A store is never replaced under a running server.',
        fix: 'Stop it (Ctrl-C, or your service manager), then restore.',
      });
    }
    const { restoreStore } = await import('@tallygate/server/wire/local-admin');
    const { events, costNanoUsd } = await restoreStore(settings.config, file).finally(holder.release);
    const restored = { events, costUsd: formatNanoUsd(costNanoUsd) };
    context.result(
      restored,
      () =>
        `Restored ${formatCount(restored.events)} requests worth ${restored.costUsd} USD; totals are equal.\n`,
    );
    return undefined;
  },
});
