import type { CheckContext } from '@tallygate/server/checkup/check';
import type { Settings } from '../config/settings.ts';
import type { CommandContext } from '../context.ts';

/** What the checks look at, as the command line sees it. */
export interface CliCheckContext extends CheckContext {
  settings: Settings;
  /** The socket of the running server; null when none runs on this data directory. */
  socket: string | null;
}

export function checkContextOf(
  command: CommandContext,
  settings: Settings,
  socket: string | null,
): CliCheckContext {
  const { config, paths } = settings;
  const { terminal } = command;
  return { config, paths, settings, socket, uid: terminal.uid, now: () => terminal.now() };
}
