import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR_TABLE } from '@tallygate/contract/errors';
import { CliError } from '../cli-error.ts';
import type { Settings } from '../config/settings.ts';
import { type AdminTransport, queryText } from './transport.ts';

/** A server that starts after a crash first settles what was left; it opens its socket after that. */
const STARTING_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

function refuseMissingDirectory(dir: string): void {
  if (existsSync(dir)) return;
  throw new CliError('data_directory_missing', `There is no data directory at ${dir}.`, {
    why: 'Nothing was started or set up there yet, so there is nothing to show.',
    fix: 'Check --data-dir (or TALLYGATE_DATA_DIR), or make one: tallygate start --data-dir DIR',
  });
}

/** Whether a server process has the data directory, though its socket may not be open yet or any more. */
async function isHeld(lockPath: string): Promise<boolean> {
  if (!existsSync(lockPath)) return false;
  const { acquireServerLock } = await import('@tallygate/server/wire/server-lock');
  const release = acquireServerLock(lockPath);
  release?.();
  return release === null;
}

/**
 * Waits while a server holds the data directory without answering: what was written to the store behind its
 * back would not take effect in it.
 * Resolves when the socket answers or nobody holds the directory any more.
 * @throws CliError `data_directory_busy` after 30 s
 */
export async function waitWhileHeld(
  settings: Settings,
  socketAnswers: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + STARTING_TIMEOUT_MS;
  while (await isHeld(settings.paths.lock)) {
    if (await socketAnswers()) return;
    if (performance.now() > deadline) {
      throw new CliError(
        'data_directory_busy',
        `A server holds ${settings.paths.dir}, but does not answer.`,
        {
          why: 'It is still starting, or stopping, or belongs to another user.',
          fix: 'Look at its output, and try again when it has started or ended.',
        },
      );
    }
    await delay(POLL_MS);
  }
}

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
 * The administrative API on the store itself, for when no server runs on the data directory. Reading never
 * makes a data directory: a mistyped path is an error, not an empty installation.
 */
export async function createInProcessTransport(
  settings: Settings,
  access: 'read' | 'write',
): Promise<AdminTransport> {
  if (access === 'read') refuseMissingDirectory(settings.paths.dir);
  const admin = await openAdmin(settings);
  return {
    target: { kind: 'in-process', description: `the store of ${settings.paths.dir}` },
    request: ({ method, path, query, body }) =>
      admin.request({
        method,
        path: `${path}${queryText(query)}`,
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
