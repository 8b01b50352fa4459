import type { CheckResult, DependencyReport } from '@tallygate/contract/api/checkup';
import { warn, withCommand } from './check.ts';

const ID = 'dependencies';
const DAY_MS = 86_400_000;
/** Vulnerabilities become known every week. */
const GOOD_FOR_DAYS = 30;
const ASK = 'Run on the machine of the server: ';
const COMMAND = 'tallygate security-check';

/** The last report of the command line, which asks the registry; for which version of this program, and when. */
export interface KeptReport {
  at: string;
  version: string;
  found: DependencyReport;
}

/**
 * Known vulnerabilities of packages, as the command line last found them. The server starts no other program and asks
 * nobody outside, who would learn what it runs.
 */
export function judgeDependencies(
  kept: KeptReport | null,
  { version, now }: { version: string; now: Date },
): CheckResult {
  if (kept === null) {
    const never =
      'Nobody has looked up known vulnerabilities of the packages in use; the server asks nobody outside.';
    return withCommand(warn(ID, never, ASK), COMMAND);
  }
  const day = kept.at.slice(0, 10);
  const days = Math.floor((now.getTime() - Date.parse(kept.at)) / DAY_MS);
  const old = days > GOOD_FOR_DAYS ? `${days} days ago` : null;
  const before = kept.version === version ? null : `for version ${kept.version}`;
  if (kept.found.status === 'ok' && (old ?? before) !== null) {
    const message = `Known vulnerabilities of packages were last looked up ${old ?? before}. None was known then.`;
    return withCommand(warn(ID, message, ASK), COMMAND);
  }
  return { id: ID, ...kept.found, message: `${kept.found.message} Looked up on ${day}.` };
}
