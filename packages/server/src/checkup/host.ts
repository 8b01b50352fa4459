import type { CheckResult } from '@tallygate/contract/api/checkup';
import { type CheckContext, runAll } from './check.ts';
import { checkClock, checkDataDirectory, checkDiskSpace } from './file-checks.ts';
import { hostSafetyChecks } from './safety-checks.ts';

/** A check that could not be made, as the server says it. */
export function failureOf(id: string, error: unknown): CheckResult {
  const message = error instanceof Error ? error.message : 'It could not be looked at.';
  return { id, status: 'fail', message, fix: 'Look at the output of the server.' };
}

/** What the server finds about its own files, settings and listeners. */
export async function checkHost(
  context: CheckContext,
): Promise<{ safety: CheckResult[]; order: CheckResult[] }> {
  return {
    safety: await runAll(hostSafetyChecks(context), failureOf),
    order: await runAll(
      [
        ['data_directory', () => checkDataDirectory(context)],
        ['disk_space', () => checkDiskSpace(context)],
        ['clock', () => checkClock(context)],
      ],
      failureOf,
    ),
  };
}
