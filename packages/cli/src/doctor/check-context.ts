import type { CheckContext } from '@tallygate/server/checkup/check';
import { listenersOf } from '@tallygate/server/checkup/listeners';
import { settingsFileOf } from '@tallygate/server/config/load-config';
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
  return {
    ...{ config, paths, settings, socket, uid: terminal.uid, now: () => terminal.now() },
    settingsFile: settingsFileOf(settings.provenance),
    masterKeyFrom: settings.provenance.masterKey.detail,
    listening: socket === null ? null : listenersOf(config),
  };
}
