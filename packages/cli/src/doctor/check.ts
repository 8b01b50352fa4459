import type { Settings } from '../config/settings.ts';
import type { CommandContext } from '../context.ts';

/** `warn` asks for attention; `fail` means something does not work or is not safe. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** One line of `tallygate doctor`. */
export interface CheckResult {
  id: string;
  status: CheckStatus;
  message: string;
  /** What to do; null when there is nothing to do. */
  fix: string | null;
}

export interface CheckContext {
  command: CommandContext;
  settings: Settings;
  /** The socket of the running server; null when none runs on this data directory. */
  socket: string | null;
}

export const ok = (id: string, message: string): CheckResult => ({ id, status: 'ok', message, fix: null });
export const warn = (id: string, message: string, fix: string): CheckResult => ({
  id,
  status: 'warn',
  message,
  fix,
});
export const fail = (id: string, message: string, fix: string): CheckResult => ({
  id,
  status: 'fail',
  message,
  fix,
});
