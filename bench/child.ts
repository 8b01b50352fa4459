import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The measured process has a core for itself; everything else shares the other. */
export const TARGET_CORE = 0;
export const LOAD_CORE = 1;

/** True when processes can be pinned to one of two cores. */
export function canPin(): boolean {
  return availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0;
}

/** What goes before a command to pin it; nothing when that is impossible. */
export function pinPrefix(core: number): string[] {
  return canPin() ? ['taskset', '-c', String(core)] : [];
}

/** True when a program of this name runs here. */
export function hasProgram(name: string, versionFlag: string): boolean {
  return spawnSync(name, [versionFlag]).status === 0;
}

/** A TypeScript module of this folder as its own process, with IPC. */
export function forkModule(file: string, args: readonly string[], core: number): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [command = process.execPath, ...rest] = [...pinPrefix(core), process.execPath, path, ...args];
  return spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** The next message of a child. @throws Error when it ends first */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const message = once(child, 'message', { signal: ended.signal }) as Promise<[T]>;
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a benchmark process ended with ${String(code)}`);
  });
  try {
    const [value] = await Promise.race([message, exit as Promise<never>]);
    return value;
  } finally {
    ended.abort();
    message.catch(() => {});
    exit.catch(() => {});
  }
}

/** Asks a child to end and waits until it has. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
