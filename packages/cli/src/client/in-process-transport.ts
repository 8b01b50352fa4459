import { statSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Settings } from '../config/settings.ts';
import type { AdminTransport } from './transport.ts';

function refuseMissingDirectory(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false }) !== undefined) return;
  throw new CliError('data_directory_missing', `There is no data directory at ${dir}.`, {
    why: 'Nothing was started or set up there yet, so there is nothing to show.',
    fix: 'Check --data-dir (or TALLYGATE_DATA_DIR), or make one: tallygate start --data-dir DIR',
  });
}

/**
 * The administrative API on the store itself, for when no server runs on the data directory. Reading never
 * makes a data directory: a mistyped path is an error, not an empty installation.
 */
export async function createInProcessTransport(
  settings: Settings,
  access: 'read' | 'write',
): Promise<AdminTransport> {
  if (access === 'read') refuseMissingDirectory(settings.paths.dir);
  const { openLocalAdmin } = await import('@tallygate/server/wire/local-admin');
  const admin = await openLocalAdmin(settings.config);
  return {
    target: { kind: 'in-process', description: `the store of ${settings.paths.dir}` },
    request: ({ method, path, query, body }) =>
      admin.request({
        method,
        path,
        ...(query === undefined ? {} : { query }),
        ...(body === undefined ? {} : { body }),
      }),
    async stream() {
      throw new CliError('no_server', 'No server runs on this data directory, so nothing can be followed.', {
        fix: 'Start one: tallygate start',
      });
    },
    close: () => admin.close(),
  };
}
