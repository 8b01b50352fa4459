import type { CheckResult } from '@tallygate/contract/api/checkup';
import type { Check } from '@tallygate/server/checkup/check';
import { EXIT } from '../cli-error.ts';
import type { AdminApi } from '../client/admin-api.ts';
import { localSocket } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { CliCheckContext } from '../doctor/check-context.ts';
import { flag } from '../options/option.ts';
import { printable } from '../output/style.ts';

async function runEach(checks: readonly Check[]): Promise<CheckResult[]> {
  const { failureOf } = await import('../doctor/server-checks.ts');
  const { runAll } = await import('@tallygate/server/checkup/check');
  return runAll(checks, failureOf);
}

async function hostChecks(context: CliCheckContext): Promise<CheckResult[]> {
  const host = await import('@tallygate/server/checkup/host-checks');
  const transport = await import('@tallygate/server/checkup/transport-checks');
  const { checkDataDirectory, checkMasterKey } = await import('@tallygate/server/checkup/file-checks');
  const { checkSettingsFile } = await import('../security-check/settings-file-check.ts');
  const { masterKey } = context.settings.provenance;
  const directory = await checkDataDirectory(context);
  return [
    // To the doctor an open folder is a warning; here it is what was asked about.
    directory.status === 'warn' ? { ...directory, status: 'fail' } : directory,
    ...(await runEach([
      ['data_files', () => host.checkDataFiles(context)],
      ['master_key', () => checkMasterKey(context, masterKey.detail)],
      ['settings_file', () => checkSettingsFile(context)],
      ['user', () => host.checkUser(context)],
      ['bind_address', () => transport.checkBindAddresses(context)],
      ['tls', () => transport.checkCertificate(context)],
      ['cors', () => transport.checkCors(context)],
      ['content_policy', () => transport.checkContentPolicy(context)],
      ['database_tls', () => host.checkDatabaseTls(context)],
      ['redis_tls', () => host.checkRedisTls(context)],
      ['secrets', () => host.checkSecrets(context)],
    ])),
  ];
}

async function serverChecks(context: CliCheckContext, api: AdminApi): Promise<CheckResult[]> {
  const server = await import('../security-check/server-checks.ts');
  const now = context.now();
  return runEach([
    ['browser_policy', () => server.checkHeaders(context)],
    ['second_factors', () => server.checkSecondFactors(api)],
    ['stale_keys', () => server.checkStaleKeys(api, now)],
    ['admin_keys', () => server.checkAdminKeys(api, now)],
    ['backup_age', () => server.checkBackupAge(api, now)],
    ['audit_log', () => server.checkAuditLog(api)],
    ['findings', () => server.checkFindings(api)],
  ]);
}

/** A store that cannot be opened is one failed line: what was found about the files stays worth reading. */
async function storeSide(command: CommandContext, context: CliCheckContext): Promise<CheckResult[]> {
  const { failureOf } = await import('../doctor/server-checks.ts');
  try {
    return await serverChecks(context, await command.connect('read'));
  } catch (error) {
    return [failureOf('store', error)];
  }
}

async function outsideChecks(): Promise<CheckResult[]> {
  const { checkDependencies } = await import('../security-check/dependency-check.ts');
  return runEach([['dependencies', checkDependencies]]);
}

function text({ style }: CommandContext, results: readonly CheckResult[]): string {
  const mark = { ok: style.green('pass'), warn: style.yellow('warn'), fail: style.red('FAIL') };
  return results
    .map(({ id, status, message, fix }) => {
      const head = `${mark[status]}  ${printable(id)}: ${printable(message)}\n`;
      return fix === null ? head : `${head}      remedy: ${printable(fix)}\n`;
    })
    .join('');
}

export const securityCheck = defineCommand({
  name: 'security-check',
  summary: 'Check that this installation is safe',
  description:
    'Checks who can read the data directory and its files, the master key and the settings file; which addresses are ' +
    'listened on, the certificate, and whether the database is reached over TLS; placeholders and weak secrets in the ' +
    'settings; which sites may read answers, and the browser policy that the server sends; people without a second ' +
    'factor; stale and endless keys; the age of the last backup; the audit log; the security counters; and what the npm ' +
    'registry knows of vulnerabilities in the packages in use. Each line says pass, warn or FAIL with the remedy. Exit code 1 when one fails; warnings do not fail.',
  takesSettings: true,
  options: {
    offline: flag('Ask nobody outside: leaves out the vulnerabilities of packages'),
  },
  examples: [
    { command: 'security-check', explains: 'Before and after a deployment' },
    { command: 'security-check --json', explains: 'For monitoring' },
  ],
  async handler(command, { offline }) {
    const settings = await command.settings();
    const socket = await localSocket(settings, command.terminal.uid);
    const { checkContextOf } = await import('../doctor/check-context.ts');
    const context = checkContextOf(command, settings, socket);
    const host = await hostChecks(context);
    const checks = [
      ...host,
      ...(await storeSide(command, context)),
      ...(offline ? [] : await outsideChecks()),
    ];
    const failed = checks.some((check) => check.status === 'fail');
    command.result({ ok: !failed, checks }, () => text(command, checks));
    return failed ? EXIT.failed : EXIT.ok;
  },
});
