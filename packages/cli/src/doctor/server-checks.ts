import { createServer } from 'node:net';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { askHealth } from '@tallygate/server/checkup/ask-health';
import { fail, ok, warn } from '@tallygate/server/checkup/check';
import { type Listener, listenersOf } from '@tallygate/server/checkup/listeners';
import { judgeSystem } from '@tallygate/server/checkup/system-checks';
import { CliError } from '../cli-error.ts';
import type { AdminApi } from '../client/admin-api.ts';
import type { CommandContext } from '../context.ts';
import { formatMs } from '../output/numbers.ts';
import type { CliCheckContext } from './check-context.ts';

const PARALLEL_TESTS = 4;

function listenError(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** 403: this machine's address or name is not among those that are answered, which is an answer. */
const HEALTHY = [200, 403];

/** The port answers when the server runs; otherwise it has to be free, and when it is not, somebody has it. */
async function checkListener(listener: Listener, running: boolean): Promise<CheckResult> {
  const id = `port${listener.suffix}`;
  const { host, port } = listener;
  if (port === 0) return ok(id, 'Any free port is taken at the start.');
  const where = `${host}:${port}`;
  if (running) {
    if (HEALTHY.includes((await askHealth(listener))?.status ?? 0))
      return ok(id, `The server answers at ${where}.`);
    return warn(
      id,
      `The server runs, but does not answer at ${where}.`,
      'It was probably started with other settings than these: compare with "tallygate config explain".',
    );
  }
  const error = await listenError(host, port);
  if (error === null) return ok(id, `${where} is free.`);
  if (error.code === 'EADDRINUSE') {
    const { portOwner } = await import('@tallygate/server/wire/port-owner');
    const owner = portOwner(port) ?? `another program (to find it: lsof -i :${port})`;
    return fail(
      id,
      `${where} is taken by ${owner}.`,
      `Stop that program, or start with another ${listener.suffix === '' ? '--port' : 'ADMIN_LISTEN'}.`,
    );
  }
  const fix =
    error.code === 'EACCES'
      ? 'Ports below 1024 need privileges: choose a higher one.'
      : `Choose another ${listener.suffix === '' ? '--host' : 'ADMIN_LISTEN'}.`;
  return fail(id, `${where} cannot be listened on (${error.code}).`, fix);
}

/** Each address that the server listens on. */
export const checkPorts = ({ settings, socket }: CliCheckContext): Promise<CheckResult[]> =>
  Promise.all(listenersOf(settings.config).map((listener) => checkListener(listener, socket !== null)));

/** The store and the journal, asked through the server when one runs, else opened here. */
export async function checkSystem(api: AdminApi): Promise<CheckResult[]> {
  const system = await api.system.status();
  const running = `Version ${system.version} runs since ${system.startedAt}.`;
  const alone = api.target.kind === 'in-process';
  return [ok('server', alone ? 'No server runs on this data directory.' : running), ...judgeSystem(system)];
}

/** What went wrong while asking, as a line of its own. */
export function failureOf(id: string, error: unknown): CheckResult {
  const fix =
    error instanceof CliError && error.fix !== null ? error.fix : 'Look at the output of the server.';
  return fail(id, error instanceof Error ? error.message : 'It failed.', fix);
}

async function testAccount(
  api: AdminApi,
  account: { id: string; name: string; paused: boolean },
): Promise<CheckResult> {
  const id = `upstream:${account.name}`;
  if (account.paused) return ok(id, 'Paused; not tried.');
  const result = await api.accounts.test(account.id).catch((error: unknown) => failureOf(id, error));
  if ('status' in result) return result;
  const took = result.latencyMs === null ? '' : ` (${formatMs(result.latencyMs)})`;
  if (result.ok) return ok(id, `${result.message}${took}`);
  return fail(id, result.message, 'Check its key and address: tallygate accounts list');
}

/** Every account tried, a few at a time. */
export async function checkUpstreams(api: AdminApi): Promise<CheckResult[]> {
  const { accounts } = await api.accounts.list();
  const results: CheckResult[] = [];
  for (let i = 0; i < accounts.length; i += PARALLEL_TESTS) {
    const some = accounts.slice(i, i + PARALLEL_TESTS);
    results.push(...(await Promise.all(some.map((account) => testAccount(api, account)))));
  }
  if (accounts.length > 0) return results;
  return [warn('upstreams', 'There is no upstream account.', 'Add one: tallygate accounts add …')];
}

/** The server's side of things; a failure to reach it is one failed line, not the end. */
export async function checkServerSide(command: CommandContext, upstreams: boolean): Promise<CheckResult[]> {
  let api: AdminApi;
  try {
    api = await command.connect('read');
    const system = await checkSystem(api);
    return upstreams ? [...system, ...(await checkUpstreams(api))] : system;
  } catch (error) {
    return [failureOf('store', error)];
  }
}
