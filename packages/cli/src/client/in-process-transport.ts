import { ERROR_TABLE } from '@tallygate/contract/errors';
import { CliError } from '../cli-error.ts';
import type { Settings } from '../config/settings.ts';
import { type AdminTransport, queryText, workspaceHeader } from './transport.ts';

async function openAdmin(settings: Settings) {
  const { openLocalAdmin } = await import('@tallygate/server/wire/local-admin');
  try {
    return await openLocalAdmin(settings.config);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code)) throw error;
    throw new CliError('store_unavailable', `The store of ${settings.paths.dir} cannot be opened.`, {
      why: error instanceof Error ? error.message : 'The reason is not known.',
      fix: 'tallygate doctor says more.',
      cause: error,
    });
  }
}

/**
 * The administrative API on the store itself, for when no server runs on the data directory. `release` is
 * called when it is closed, or when it does not open.
 */
export async function createInProcessTransport(
  settings: Settings,
  workspace: string | undefined,
  release: () => void,
): Promise<AdminTransport> {
  const admin = await openAdmin(settings).catch((error: unknown) => {
    release();
    throw error;
  });
  return {
    target: { kind: 'in-process', description: `the store of ${settings.paths.dir}` },
    request: ({ method, path, query, body }) =>
      admin.request({
        method,
        path: `${path}${queryText(query)}`,
        headers: workspaceHeader(workspace),
        ...(body === undefined ? {} : { body }),
      }),
    async stream() {
      throw new CliError('no_server', 'No server runs on this data directory, so nothing can be followed.', {
        fix: 'Start one: tallygate start',
      });
    },
    async close() {
      await admin.close().finally(release);
    },
  };
}
