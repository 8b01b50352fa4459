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
  const { hostSafetyChecks } = await import('@tallygate/server/checkup/safety-checks');
  return runEach(hostSafetyChecks(context));
}

async function serverChecks(context: CliCheckContext, api: AdminApi): Promise<CheckResult[]> {
  const { stateSafetyChecks } = await import('@tallygate/server/checkup/safety-checks');
  const { serverFacts } = await import('../security-check/server-facts.ts');
  return runEach(stateSafetyChecks(serverFacts(api), context.now()));
}

/** A store that cannot be opened is one failed line: what was found about the files stays worth reading. */
async function storeSide(context: CliCheckContext, api: AdminApi | Error): Promise<CheckResult[]> {
  const { failureOf } = await import('../doctor/server-checks.ts');
  if (api instanceof Error) return [failureOf('store', api)];
  return serverChecks(context, api).catch((error: unknown) => [failureOf('store', error)]);
}

/** What the registry says of the packages in use. */
async function outsideChecks(api: AdminApi | Error): Promise<CheckResult[]> {
  const { checkDependencies, keepReport } = await import('../security-check/dependency-check.ts');
  const found = await checkDependencies();
  if (!(api instanceof Error)) await keepReport(api, found);
  return [found.result];
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
    'registry knows of vulnerabilities in the packages in use. A running server keeps what the registry said for its Checks screen, which asks nobody outside. Each line says pass, warn or FAIL with the remedy. Exit code 1 when one fails; warnings do not fail.',
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
    const api = await command.connect('read').catch((error: Error) => error);
    const checks = [
      ...host,
      ...(await storeSide(context, api)),
      ...(offline ? [] : await outsideChecks(api)),
    ];
    const failed = checks.some((check) => check.status === 'fail');
    command.result({ ok: !failed, checks }, () => text(command, checks));
    return failed ? EXIT.failed : EXIT.ok;
  },
});
