import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataPaths } from '@tallygate/server/config/data-paths';
import { COMPILED_FOLDER, PROGRAM_MAIN } from '../../../launcher/program-files.mjs';
import { MALLOC, QUIET, SERVER_FLAGS } from '../../../launcher/server-process.mjs';
import { spawnTied } from './tied-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const URL_PRINTED = /(https?:\/\/127\.0\.0\.1):(\d+)/;
/** Generous: several builds and browsers may share the machine with the tests. */
const START_TIMEOUT_MS = 55_000;

/** Node arguments that run the command line, as users do. `warm-start.ts` has seen to the build. */
export const PROGRAM_ARGUMENTS = [QUIET, join(ROOT, PROGRAM_MAIN)] as const;

export interface GateProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  /** Everything the process has printed. */
  output(): string;
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface GateProcessOptions {
  dataDir: string;
  /** Environment of the process beside PATH and HOME; settings go in here. */
  env?: Readonly<Record<string, string>>;
  /** Put before the command: `['taskset', '-c', '0']`. */
  prefix?: readonly string[];
}

/** Where compiled code is kept between starts, for threads as well; the launcher's place unless it is named. */
export const COMPILED = process.env.NODE_COMPILE_CACHE ?? join(ROOT, COMPILED_FOLDER);

/** Environment of a child: nothing of the developer's own settings leaks in. */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    ...(PATH ? { PATH } : {}),
    ...(HOME ? { HOME } : {}),
    ...(TMPDIR ? { TMPDIR } : {}),
    NODE_COMPILE_CACHE: COMPILED,
    ...extra,
  };
}

/** Starts the real server as users do and waits until it has printed where it listens. */
export async function startGateProcess(options: GateProcessOptions): Promise<GateProcess> {
  const [command = process.execPath, ...args] = [
    ...(options.prefix ?? []),
    process.execPath,
    ...SERVER_FLAGS,
    ...PROGRAM_ARGUMENTS,
    ...['start', '--data-dir', options.dataDir, '--port', '0'],
  ];
  const child = spawnTied(command, args, {
    cwd: ROOT,
    env: childEnvironment({ ...MALLOC, ...options.env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const printed = new Promise<{ origin: string; port: number }>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, origin, port] = URL_PRINTED.exec(output) ?? [];
        if (origin && port) resolve({ origin, port: Number(port) });
      });
    }
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, START_TIMEOUT_MS);
  const { origin, port } = await Promise.race([
    printed,
    exited.then(({ code, signal }) => {
      const why = late
        ? `did not listen within ${START_TIMEOUT_MS} ms`
        : `ended (${code ?? signal}) before it listened`;
      throw new Error(`the server ${why}:\n${output}`);
    }),
  ]).finally(() => clearTimeout(timer));
  return {
    child,
    pid: child.pid ?? 0,
    url: `${origin}:${port}`,
    port,
    output: () => output,
    exited,
  };
}

export interface AdminAnswer {
  status: number;
  json: unknown;
}

/** A request to the administrative API through the owner-only socket of the data directory. */
export function controlRequest(
  dataDir: string,
  /** `workspace` by slug or id; the first one when left out. */
  call: { method: string; path: string; body?: unknown; workspace?: string },
): Promise<AdminAnswer> {
  const { controlSocket } = dataPaths(dataDir, process.getuid?.() ?? null);
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const headers =
    body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      socketPath: controlSocket,
      method: call.method,
      path: call.path,
      headers: {
        host: 'localhost',
        ...headers,
        ...(call.workspace === undefined ? {} : { 'x-tallygate-workspace': call.workspace }),
      },
      agent: false,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, json: text === '' ? null : JSON.parse(text) });
      });
    });
    sent.end(body ?? undefined);
  });
}
