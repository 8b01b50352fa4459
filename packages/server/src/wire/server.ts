import type { Config } from '../config/settings.ts';
import { systemClock } from '../kernel/clock.ts';
import { openLogFile } from '../kernel/log-file.ts';
import { createLogger, type LogSink } from '../kernel/logger.ts';
import { boundThreadHeaps, scavengeAlone } from '../kernel/thread-heaps.ts';
import type { RunningServer } from './assemble.ts';
import { type Ground, layGround, openBase, prepareDataDir } from './base.ts';
import type { Core } from './core.ts';
import { type Journaling, openJournaling } from './journaling.ts';
import { assertOpenOnLoopbackOnly, openLocalAccess } from './local-access.ts';
import { waitForServerLock } from './server-lock.ts';
import { StartError } from './start-error.ts';
import { Undo } from './undo.ts';

/** A command that looks whether a server runs takes the lock for a moment. */
const LOCK_PROBE_MS = 500;
const COMMANDS_WAIT_MS = 60_000;

/** What a command writes to the store behind the back of a server would not take effect in it: it ends first. */
async function waitForCommands(commandLock: string): Promise<void> {
  const release = await waitForServerLock(commandLock, COMMANDS_WAIT_MS);
  if (release === null) {
    throw new StartError(
      'A tallygate command is still changing this data directory. Start again when it has ended.',
    );
  }
  release();
}

async function takeLocks(config: Config, undo: Undo): Promise<void> {
  const paths = prepareDataDir(config);
  const release = await waitForServerLock(paths.lock, LOCK_PROBE_MS);
  if (release === null) {
    throw new StartError(
      `Another Tallygate server uses ${config.dataDir}. Stop it, or choose another folder with --data-dir.`,
    );
  }
  undo.add(release);
  await waitForCommands(paths.commandLock);
}

/**
 * Opens what has to wait for other threads, side by side: the store, the ledger with its recovery, and, while
 * those threads load, the rest of the program.
 */
async function openSideBySide(ground: Ground, undo: Undo): Promise<{ core: Core; journaling: Journaling }> {
  const opening = openBase(ground);
  const opened = Promise.all([opening, import('./core.ts')]).then(([base, { openCore }]) =>
    openCore(base, openLocalAccess),
  );
  const recovering = openJournaling(ground, opening);
  const [base, core, journaling] = await Promise.allSettled([
    opening,
    opened,
    recovering,
    import('./assemble.ts'),
  ]);
  if (base.status === 'fulfilled') undo.add(() => base.value.store.close());
  if (core.status === 'fulfilled') undo.add(() => core.value.egress.destroy());
  if (journaling.status === 'fulfilled') undo.add(() => journaling.value.close());
  await opening; // why the store does not open says more than what follows from it
  return { core: await opened, journaling: await recovering };
}

/** The log file, when there is to be one; it is closed last, so that the end is in it. */
function openLog(config: Config, undo: Undo): LogSink | null {
  const { logFile, logFileMaxBytes, logFileMaxAgeMs, logFileKeep } = config;
  if (logFile === null) return null;
  const limits = { maxBytes: logFileMaxBytes, maxAgeMs: logFileMaxAgeMs, keep: logFileKeep };
  try {
    const opened = openLogFile({ path: logFile, ...limits }, systemClock);
    undo.add(() => opened.close());
    return opened;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new StartError(
      `The log file ${logFile} cannot be written (${reason}). Choose another one with --log-file or LOG_FILE.`,
    );
  }
}

/**
 * Starts everything in order: lock, store, journal, recovery, listeners.
 * @param settingsFile the file that settings come from; null when none does
 * @throws StartError, ListenError, MasterKeyError or AppError; nothing stays open then
 */
export async function startServer(
  config: Config,
  settingsFile: string | null = null,
): Promise<RunningServer> {
  boundThreadHeaps();
  scavengeAlone();
  const undo = new Undo();
  try {
    assertOpenOnLoopbackOnly(config);
    await takeLocks(config, undo);
    const ground = layGround(config, createLogger(config.logLevel, openLog(config, undo)), settingsFile);
    const { core, journaling } = await openSideBySide(ground, undo);
    const { assemble } = await import('./assemble.ts');
    return await assemble(core, journaling, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}
