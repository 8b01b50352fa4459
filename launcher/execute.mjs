import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { COMPILED_FOLDER } from './program-files.mjs';
import { MALLOC } from './server-process.mjs';

const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** A supervisor signals the group and each process of it; within this time that is one request to stop. */
const SAME_REQUEST_MS = 1000;

/**
 * The environment of everything that is launched: its `node`, `npm` and local tools are the right ones, and
 * compiled code is cached inside the clone.
 * @param {string} root @param {string} runtime
 */
export function childEnvironment(root, runtime) {
  const bin = join(root, 'node_modules', '.bin');
  return {
    ...MALLOC,
    NODE_COMPILE_CACHE: join(root, COMPILED_FOLDER),
    ...process.env,
    PATH: [dirname(runtime), bin, process.env.PATH ?? ''].join(delimiter),
  };
}

/**
 * Runs programs side by side with our standard streams until all have ended; when one ends, the others are
 * told to. Signals to us reach them.
 * @param {{ command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv }[]} programs
 * @returns {Promise<number>} the exit code of the first that ended; does not return when a signal ended it
 */
export async function execute(programs) {
  const children = programs.map(({ command, args, cwd, env }) =>
    spawn(command, args, { cwd, env, stdio: 'inherit' }),
  );
  const stopForwarding = forwardSignals(children);
  const ends = children.map((child) => ending(child));
  const first = await Promise.race(ends);
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await Promise.all(ends);
  stopForwarding();
  if (first.error !== null) throw first.error;
  if (first.signal !== null) {
    // The shell that started us sees what the program died of, not a number that stands for it.
    process.kill(process.pid, first.signal);
    return 128 + constants.signals[first.signal];
  }
  return first.code ?? 1;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, error: Error | null }>}
 */
function ending(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, error }));
    child.on('exit', (code, signal) => resolve({ code, signal, error: null }));
  });
}

/** @param {import('node:child_process').ChildProcess[]} children */
function forwardSignals(children) {
  /** @type {Map<string, number>} */
  const forwardedAt = new Map();
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      // Ctrl-C in a terminal reaches the whole process group, so the program has it already; a second one
      // would mean "at once".
      if (signal === 'SIGINT' && onTerminal()) return;
      const now = Date.now();
      if (now - (forwardedAt.get(signal) ?? 0) < SAME_REQUEST_MS) return;
      forwardedAt.set(signal, now);
      for (const child of children) child.kill(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.removeListener(signal, handler);
  };
}

function onTerminal() {
  return process.stdin.isTTY === true || process.stdout.isTTY === true || process.stderr.isTTY === true;
}
