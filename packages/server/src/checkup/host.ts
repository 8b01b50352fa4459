import type { CheckResult } from '@tallygate/contract/api/checkup';
import { type CheckContext, runAll } from './check.ts';
import { checkClock, checkDataDirectory, checkDiskSpace, checkMasterKey } from './file-checks.ts';
import { checkDatabaseTls, checkDataFiles, checkRedisTls, checkSecrets, checkUser } from './host-checks.ts';
import { checkBindAddresses, checkCertificate, checkContentPolicy, checkCors } from './transport-checks.ts';

const MASTER_KEY_FROM = 'the environment of the server';

function failureOf(id: string, error: unknown): CheckResult {
  const message = error instanceof Error ? error.message : 'It could not be looked at.';
  return { id, status: 'fail', message, fix: 'Look at the output of the server.' };
}

/** What the server finds about its own files and settings. */
export async function checkHost(
  context: CheckContext,
): Promise<{ safety: CheckResult[]; order: CheckResult[] }> {
  const directory = await checkDataDirectory(context).catch((error: unknown) =>
    failureOf('data_directory', error),
  );
  const safety = await runAll(
    [
      ['data_files', () => checkDataFiles(context)],
      ['master_key', () => checkMasterKey(context, MASTER_KEY_FROM)],
      ['user', () => checkUser(context)],
      ['bind_address', () => checkBindAddresses(context)],
      ['tls', () => checkCertificate(context)],
      ['cors', () => checkCors(context)],
      ['content_policy', () => checkContentPolicy(context)],
      ['database_tls', () => checkDatabaseTls(context)],
      ['redis_tls', () => checkRedisTls(context)],
      ['secrets', () => checkSecrets(context)],
    ],
    failureOf,
  );
  const order = await runAll(
    [
      ['disk_space', () => checkDiskSpace(context)],
      ['clock', () => checkClock(context)],
    ],
    failureOf,
  );
  // For the question of order an open folder is a warning; for that of safety it is what was asked about.
  const strict: CheckResult = directory.status === 'warn' ? { ...directory, status: 'fail' } : directory;
  return { safety: [strict, ...safety], order: [directory, ...order] };
}
