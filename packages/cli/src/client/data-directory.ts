import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import type { Settings } from '../config/settings.ts';
import { localSocket } from './locate-server.ts';

/** A server that starts after a crash first settles what was left; it opens its socket after that. */
const SERVER_WAIT_MS = 30_000;
/** Other commands end by themselves; rebuilding sums takes longest. */
const COMMAND_WAIT_MS = 600_000;
const POLL_MS = 100;

function busy(dir: string, who: string): CliError {
  return new CliError('data_directory_busy', `${who} holds ${dir}, but does not answer.`, {
    why: 'It is still starting, stopping or working, or belongs to another user.',
    fix: 'Look at its output, and try again when it has started or ended.',
  });
}

/** Whether a server process has the data directory, though its socket may not be open yet or any more. */
export async function isHeldByServer({ paths }: Settings): Promise<boolean> {
  if (!existsSync(paths.lock)) return false;
  const { acquireServerLock } = await import('@tallygate/server/wire/server-lock');
  const release = acquireServerLock(paths.lock);
  release?.();
  return release === null;
}

/**
 * Keeps servers from starting on the data directory, and other commands from changing it, until released.
 * Makes the directory when there is none.
 */
async function keepOthersOut({ config, paths }: Settings): Promise<() => void> {
  const { prepareDataDir } = await import('@tallygate/server/wire/base');
  const { waitForServerLock } = await import('@tallygate/server/wire/server-lock');
  prepareDataDir(config);
  const release = await waitForServerLock(paths.commandLock, COMMAND_WAIT_MS);
  if (release === null) throw busy(paths.dir, 'Another command');
  return release;
}

async function socketOfHolder(settings: Settings, uid: number | null): Promise<string | null> {
  const deadline = performance.now() + SERVER_WAIT_MS;
  while (await isHeldByServer(settings)) {
    const socket = await localSocket(settings, uid);
    if (socket !== null) return socket;
    if (performance.now() > deadline) throw busy(settings.paths.dir, 'A server');
    await delay(POLL_MS);
  }
  return null;
}

/** Who has the data directory: a server that answers at a socket, or this command, until it releases it. */
export type Holder = { socketPath: string } | { release(): void };

/**
 * Finds the running server, or makes sure that none can start while this command changes the store: what is
 * written behind a server's back would not take effect in it.
 * @throws CliError `data_directory_busy` when a server holds the directory and does not answer for 30 s
 */
export async function settleHolder(
  settings: Settings,
  uid: number | null,
  access: 'read' | 'write',
): Promise<Holder> {
  for (;;) {
    const socketPath = await localSocket(settings, uid);
    if (socketPath !== null) return { socketPath };
    const release = access === 'write' ? await keepOthersOut(settings) : () => {};
    if (!(await isHeldByServer(settings))) return { release };
    // A server came first. It waits for whoever keeps it out, so that is let go before waiting for its socket.
    release();
    const opened = await socketOfHolder(settings, uid);
    if (opened !== null) return { socketPath: opened };
  }
}
