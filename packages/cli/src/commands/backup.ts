import { resolve } from 'node:path';
import { formatBytes } from '@tallygate/contract/bytes';
import { usageError } from '../cli-error.ts';
import { namedServer } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import { argument } from '../options/option.ts';
import { formatCount } from '../output/numbers.ts';

export const backup = defineCommand({
  name: 'backup',
  summary: 'Back up the store while it runs',
  description:
    'Writes a consistent copy of the store to a new file, readable by its owner only, and proves that its totals are ' +
    'equal. The server may run and be written to meanwhile. The copy holds upstream credentials sealed: keep the ' +
    'master key (master.key in the data directory) as well, elsewhere.',
  positionals: { path: argument('PATH', 'File to write; it must not exist yet') },
  examples: [
    {
      command: 'backup /backups/tallygate-2026-11-01.backup',
      explains: 'A copy of everything in the ledger',
    },
  ],
  async handler(context, { path }) {
    if (namedServer(context.terminal, context.globals) !== null) {
      throw usageError('A backup is made on the machine of the server: leave out --server.');
    }
    const api = await context.connect('read');
    const done = await api.system.backup(resolve(context.terminal.cwd, path));
    context.result(
      done,
      () =>
        `Backed up ${formatCount(done.events)} requests worth ${done.costUsd} USD to ${done.path} (${formatBytes(done.bytes)}); totals are equal.\n`,
    );
    return undefined;
  },
});
