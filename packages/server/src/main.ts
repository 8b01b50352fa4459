import type { Config } from './config/settings.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import { MasterKeyError } from './vault/master-key.ts';
import type { RunningServer } from './wire/assemble.ts';
import { ListenError } from './wire/listen.ts';
import { programVersion } from './wire/program.ts';
import { startServer } from './wire/server.ts';
import { StartError } from './wire/start-error.ts';

/** Where the server speaks to whoever started it. */
export interface ServerIo {
  print(line: string): void;
  error(line: string): void;
}

/** Errors that say what to do; anything else is a fault of ours and keeps its stack. */
function isExplained(error: unknown): error is Error {
  return [AppError, MasterKeyError, ListenError, StartError].some((kind) => error instanceof kind);
}

function greet(server: RunningServer, io: ServerIo, headless: boolean): void {
  io.print(`Tallygate ${programVersion()} listens on ${server.url}`);
  if (server.setupUrl !== null) io.print(`Set it up (this link works once): ${server.setupUrl}`);
  else if (!headless) io.print(`Dashboard: ${server.adminUrl}`);
  if (server.interruptedAtStart > 0) {
    io.print(
      `${server.interruptedAtStart} requests of the previous run were cut short and are settled as interrupted.`,
    );
  }
  for (const notice of server.notices) io.print(notice);
}

/**
 * Supervisors signal every process of a group (systemd's `KillMode=control-group`), and the launcher passes on what it
 * got: the same request, twice, milliseconds apart.
 */
const SAME_REQUEST_MS = 1000;

/** Resolves at the first signal; a second one ends the process at once. */
function stopSignal(io: ServerIo): Promise<void> {
  return new Promise((resolve) => {
    let askedAtMs: number | null = null;
    const onSignal = (): void => {
      const nowMs = systemClock.monotonicMs();
      if (askedAtMs !== null) {
        if (nowMs - askedAtMs < SAME_REQUEST_MS) return;
        process.exit(1);
      }
      askedAtMs = nowMs;
      io.print('Stopping: running requests may finish. A second signal ends them at once.');
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/**
 * Runs the server until it is told to stop.
 * @param settingsFile the file that settings come from; null when none does
 * @returns the exit code: 0 after an orderly stop, 1 when it could not start
 */
export async function runServer(
  config: Config,
  io: ServerIo,
  settingsFile: string | null = null,
): Promise<number> {
  const stopped = stopSignal(io);
  let server: RunningServer;
  try {
    server = await startServer(config, settingsFile);
  } catch (error) {
    if (!isExplained(error)) throw error;
    io.error(error.message);
    return 1;
  }
  greet(server, io, config.headless);
  await stopped;
  await server.stop();
  io.print('Stopped. Everything is settled and stored.');
  return 0;
}
