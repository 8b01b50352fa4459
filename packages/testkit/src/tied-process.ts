import {
  type ChildProcess,
  type ChildProcessByStdio,
  type SpawnOptions,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
  spawn,
} from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

const SETPRIV = '/usr/bin/setpriv';

/** Words before a command with which the kernel kills it once the thread that started it is gone (util-linux). */
const TIED = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL'] : [];

/**
 * Starts a program that does not outlive this process, however this one ends: a test that hits its time limit or a run that
 * is killed stops nothing itself. Where the kernel cannot see to it, what still runs is killed when this process exits.
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioPipe>,
): ChildProcessByStdio<Writable, Readable, Readable>;
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioPipe>,
): ChildProcessByStdio<null, Readable, Readable>;
export function spawnTied(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
export function spawnTied(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = command, ...words] = [...TIED, command, ...args];
  const child = spawn(program, words, options);
  if (TIED.length === 0) {
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.removeListener('exit', end));
  }
  return child;
}
