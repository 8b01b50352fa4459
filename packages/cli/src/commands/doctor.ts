import { existsSync } from 'node:fs';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { EXIT } from '../cli-error.ts';
import { localSocket, namedServer } from '../client/locate-server.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { CliCheckContext } from '../doctor/check-context.ts';
import { flag } from '../options/option.ts';
import { printable } from '../output/style.ts';

async function guarded(id: string, check: () => Promise<CheckResult>): Promise<CheckResult> {
  const { failureOf } = await import('../doctor/server-checks.ts');
  return check().catch((error: unknown) => failureOf(id, error));
}

/** What is set, in one line; `config explain` has the rest. */
async function configurationLine({ settings }: CliCheckContext): Promise<CheckResult> {
  const { explainConfig } = await import('@tallygate/server/config/explain-config');
  const { ok } = await import('@tallygate/server/checkup/check');
  const set = explainConfig(settings).filter((it) => it.source !== 'default');
  const text = set.map((it) => `${it.name}=${it.value} (${it.detail})`).join(', ');
  return ok('configuration', set.length === 0 ? 'Every setting has its default.' : `Set: ${text}.`);
}

async function localChecks(command: CommandContext, upstreams: boolean): Promise<CheckResult[]> {
  const files = await import('@tallygate/server/checkup/file-checks');
  const server = await import('../doctor/server-checks.ts');
  const settings = await command.settings();
  const socketOrError = await localSocket(settings, command.terminal.uid).catch((error: unknown) =>
    server.failureOf('control_socket', error),
  );
  const broken = typeof socketOrError === 'object' && socketOrError !== null ? socketOrError : null;
  const socket = typeof socketOrError === 'string' ? socketOrError : null;
  const { checkContextOf } = await import('../doctor/check-context.ts');
  const context = checkContextOf(command, settings, socket);
  const results = [
    await configurationLine(context),
    await guarded('data_directory', () => files.checkDataDirectory(context)),
    await guarded('disk_space', () => files.checkDiskSpace(context)),
    await guarded('clock', () => files.checkClock(context)),
    await guarded('master_key', () => files.checkMasterKey(context)),
    ...(await server.checkPorts(context).catch((error: unknown) => [server.failureOf('port', error)])),
  ];
  if (broken !== null) return [...results, broken];
  if (!existsSync(settings.paths.dir)) return results;
  return [...results, ...(await server.checkServerSide(command, upstreams))];
}

async function runChecks(command: CommandContext, upstreams: boolean): Promise<CheckResult[]> {
  const server = await import('../doctor/server-checks.ts');
  try {
    if (namedServer(command.terminal, command.globals) !== null)
      return await server.checkServerSide(command, upstreams);
    return await localChecks(command, upstreams);
  } catch (error) {
    return [server.failureOf('configuration', error)];
  }
}

function text({ style }: CommandContext, results: readonly CheckResult[]): string {
  const mark = { ok: style.green('ok  '), warn: style.yellow('warn'), fail: style.red('fail') };
  return results
    .map(({ id, status, message, fix }) => {
      const head = `${mark[status]}  ${printable(id)}: ${printable(message)}\n`;
      return fix === null ? head : `${head}      fix: ${printable(fix)}\n`;
    })
    .join('');
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check that everything is in order',
  description:
    'Checks the configuration, the data directory and its permissions, disk, clock, master key, ports, store and journal, ' +
    'and says what to do about what is not in order. Exit code 1 when a check fails; warnings do not fail. ' +
    'With --server only the side of the server is checked.',
  takesSettings: true,
  options: { upstreams: flag('Try every upstream account too (costs no tokens)') },
  examples: [
    { command: 'doctor', explains: 'Is this installation in order?' },
    { command: 'doctor --upstreams --json', explains: 'With every upstream, for monitoring' },
  ],
  async handler(context, { upstreams }) {
    const checks = await runChecks(context, upstreams);
    const failed = checks.some((check) => check.status === 'fail');
    context.result({ ok: !failed, checks }, () => text(context, checks));
    return failed ? EXIT.failed : EXIT.ok;
  },
});
