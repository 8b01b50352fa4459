import type { CheckResult } from '@tallygate/contract/api/checkup';
import { checkBrowserPolicy } from './browser-checks.ts';
import type { Check, CheckContext } from './check.ts';
import { checkDataDirectory, checkMasterKey, checkSettingsFile } from './file-checks.ts';
import { checkDatabaseTls, checkDataFiles, checkRedisTls, checkSecrets, checkUser } from './host-checks.ts';
import {
  judgeAdminKeys,
  judgeAuditLog,
  judgeBackupAge,
  judgeFindings,
  judgeSecondFactors,
  judgeStaleKeys,
  type KeyFacts,
  type PersonFacts,
} from './state-checks.ts';
import { checkBindAddresses, checkCertificate, checkContentPolicy, checkCors } from './transport-checks.ts';

/** What the store knows. The server reads it there, the command line asks for it. */
export interface SafetyFacts {
  people(): Promise<readonly PersonFacts[]>;
  keys(): Promise<readonly KeyFacts[]>;
  backups(): Promise<{ lastAt: string | null; begunAt: string | null }>;
  auditLog(): Promise<Parameters<typeof judgeAuditLog>[0]>;
  findings(): Promise<Parameters<typeof judgeFindings>[0]>;
}

/** For the question of order an open folder is a warning; for that of safety it is what was asked about. */
async function strictDirectory(context: CheckContext): Promise<CheckResult> {
  const found = await checkDataDirectory(context);
  return found.status === 'warn' ? { ...found, status: 'fail' } : found;
}

/** "Is it safe", as far as files, settings and listeners tell: the same table for the screen and the command. */
export const hostSafetyChecks = (context: CheckContext): readonly Check[] => [
  ['data_directory', () => strictDirectory(context)],
  ['data_files', () => checkDataFiles(context)],
  ['master_key', () => checkMasterKey(context)],
  ['settings_file', () => checkSettingsFile(context)],
  ['user', () => checkUser(context)],
  ['bind_address', () => checkBindAddresses(context)],
  ['tls', () => checkCertificate(context)],
  ['cors', () => checkCors(context)],
  ['content_policy', () => checkContentPolicy(context)],
  ['browser_policy', () => checkBrowserPolicy(context)],
  ['database_tls', () => checkDatabaseTls(context)],
  ['redis_tls', () => checkRedisTls(context)],
  ['secrets', () => checkSecrets(context)],
];

/** "Is it safe", as far as people, keys, backups and what happened tell. */
export const stateSafetyChecks = (facts: SafetyFacts, now: Date): readonly Check[] => [
  ['second_factors', async () => judgeSecondFactors(await facts.people())],
  ['stale_keys', async () => judgeStaleKeys(await facts.keys(), now)],
  ['admin_keys', async () => judgeAdminKeys(await facts.keys(), now)],
  ['backup_age', async () => judgeBackupAge(await facts.backups(), now)],
  ['audit_log', async () => judgeAuditLog(await facts.auditLog())],
  ['findings', async () => judgeFindings(await facts.findings())],
];
