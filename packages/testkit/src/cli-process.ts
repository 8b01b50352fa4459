import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { childEnvironment, PROGRAM_ARGUMENTS } from './gate-process.ts';
import { spawnTied } from './tied-process.ts';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  input?: string;
}

export interface RunningCli {
  child: ChildProcess;
  /** Resolves when this text has appeared on standard output. */
  printed(text: string): Promise<void>;
  /** Standard output so far. */
  output(): string;
  finished: Promise<CliResult>;
}

/** Starts the command line as a process of its own, as users do. */
export function spawnCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const child = spawnTied(process.execPath, [...PROGRAM_ARGUMENTS, ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: childEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const result: CliResult = { code: null, stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text;
    for (const check of waiting) check();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text;
  });
  child.stdin.on('error', () => {}); // a command that does not read its input closes it
  child.stdin.end(options.input ?? '');
  const finished = once(child, 'close').then(([code]) => ({ ...result, code: code as number | null }));
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!result.stdout.includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void finished.then((end) =>
        reject(new Error(`ended (${end.code}) without printing ${text}\n${end.stdout}${end.stderr}`)),
      );
    });
  return { child, printed, output: () => result.stdout, finished };
}

/** Runs the command line to its end. */
export function runCliProcess(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return spawnCli(args, options).finished;
}
