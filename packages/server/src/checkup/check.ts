import type { CheckResult } from '@tallygate/contract/api/checkup';
import type { DataPaths } from '../config/data-paths.ts';
import type { Config } from '../config/settings.ts';
import type { Listener } from './listeners.ts';

/** What the checks of an installation look at: the server itself does, and the command line beside it. */
export interface CheckContext {
  config: Config;
  paths: DataPaths;
  /** Who runs this; null where the system knows no users by number. */
  uid: number | null;
  now(): Date;
  /** The file that settings come from; null when none does. */
  settingsFile: string | null;
  /** What set the master key, where it comes from no file; completes "comes from …". */
  masterKeyFrom: string;
  /** Where the running server is reached; null when none runs. */
  listening: readonly Listener[] | null;
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

/** A remedy that ends with a command to paste. */
export const withCommand = (found: CheckResult, command: string): CheckResult => ({
  ...found,
  fix: `${found.fix ?? ''}${command}`,
  command,
});

/** Quotes a path for a command to paste. */
export const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

/** A check by its name: one that cannot be made is a failed line under it. */
export type Check = readonly [id: string, run: () => Promise<CheckResult | CheckResult[]>];

/** One check after the other; one that cannot be made is a failed line, not the end. */
export async function runAll(
  checks: readonly Check[],
  failureOf: (id: string, error: unknown) => CheckResult,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [id, run] of checks) {
    const found = await run().catch((error: unknown) => failureOf(id, error));
    results.push(...(Array.isArray(found) ? found : [found]));
  }
  return results;
}
