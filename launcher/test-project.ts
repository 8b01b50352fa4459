// A small project in the shape of ours, for trying the real launcher: its compilers are stubs, all else is real.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = dirname(dirname(fileURLToPath(import.meta.url)));

/** Hands the sources back as they are, the server's as a part that is imported later, and notes that it ran. */
const STUB_ROLLDOWN = `import fs from 'node:fs';
export async function build({ input }) {
  fs.appendFileSync('builds.log', 'rolldown\\n');
  if (fs.existsSync('broken')) throw new Error('src/a.ts:1:1: it is broken');
  const code = fs.readFileSync('packages/server/src/deep/b.ts', 'utf8');
  const size = code.length;
  return {
    output: [
      { type: 'chunk', fileName: 'main.js', code: fs.readFileSync(input.main, 'utf8') },
      { type: 'chunk', fileName: 'part-' + size + '.js', code },
    ],
  };
}
`;
const STUB_VITE = `const fs = require('node:fs');
fs.appendFileSync('../../builds.log', 'vite\\n');
fs.mkdirSync('dist', { recursive: true });
fs.writeFileSync('dist/index.html', '');
`;
/** The program that is launched: says how it was started, or waits for signals and says which came. */
const PROGRAM = `
const args = process.argv.slice(2);
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
say({ args, cwd: process.cwd(), runtime: process.execPath });
const [, verb, value] = args;
if (verb === 'exit') process.exit(Number(value));
if (verb === 'die') process.kill(process.pid, value);
if (verb === 'wait') {
  let ending = false;
  process.on('SIGTERM', () => { say('SIGTERM'); if (!ending) setTimeout(() => process.exit(7), 300); ending = true; });
  process.on('SIGINT', () => { say('SIGINT'); process.exit(8); });
  setInterval(() => {}, 1000);
  say('waiting');
}
`;

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Makes the project in a new folder with a space in its name. */
export function makeProject(): string {
  const root = join(realpathSync(mkdtempSync(join(tmpdir(), 'tallygate launcher '))), 'the clone');
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  cpSync(join(REPOSITORY, 'launcher'), join(root, 'launcher'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
  cpSync(join(REPOSITORY, 'tallygate'), join(root, 'tallygate'));
  put(
    'vendor/rolldown/package.json',
    '{"name":"rolldown","version":"1.0.0","type":"module","exports":"./index.js"}',
  );
  put('vendor/rolldown/index.js', STUB_ROLLDOWN);
  put('vendor/vite/package.json', '{"name":"vite","version":"1.0.0"}');
  put('vendor/vite/bin/vite.js', STUB_VITE);
  const devDependencies = { rolldown: 'file:vendor/rolldown', vite: 'file:vendor/vite' };
  const manifest = { name: 'tallygate', version: '0.1.0', private: true, type: 'module', devDependencies };
  put('package.json', JSON.stringify({ ...manifest, scripts: { start: 'node launcher/run.mjs start' } }));
  writeLock(root, devDependencies, {});
  put('packages/contract/src/a.ts', '');
  put('packages/server/src/deep/b.ts', '');
  put('packages/server/src/deep/b.test.ts', '');
  put('packages/cli/src/main.ts', PROGRAM);
  put('packages/cli/package.json', '{"type":"module"}');
  put('packages/dashboard/index.html', '');
  return root;
}

/** Writes the lockfile, with further entries. */
export function writeLock(
  root: string,
  devDependencies: Record<string, string>,
  more: Record<string, object>,
): void {
  const linked = { link: true, dev: true };
  const packages = {
    '': { name: 'tallygate', version: '0.1.0', devDependencies },
    'node_modules/rolldown': { resolved: 'vendor/rolldown', ...linked },
    'node_modules/vite': { resolved: 'vendor/vite', ...linked },
    'vendor/rolldown': { version: '1.0.0', dev: true },
    'vendor/vite': { version: '1.0.0', dev: true },
    ...more,
  };
  const lock = { name: 'tallygate', version: '0.1.0', lockfileVersion: 3, requires: true, packages };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock));
}

/** An executable script. */
export function writeScript(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

export interface LaunchOptions {
  command?: string;
  cwd?: string;
  env?: Record<string, string>;
}

/** Starts the launcher of a project; `args[0]` is the script. */
export function launch(root: string, args: string[], options: LaunchOptions = {}): ChildProcess {
  const command = options.command ?? process.execPath;
  const all = options.command === undefined ? [join(root, 'launcher', 'run.mjs'), ...args] : args;
  // What this run was started with is none of theirs; whom the machine trusts on the way to the registry is.
  const ours = /^(npm_|NODE_(?!EXTRA_CA_CERTS$)|INIT_CWD|VITEST)/i;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { ...Object.fromEntries(kept), PATH, ...options.env };
  return spawn(command, all, { cwd: options.cwd ?? root, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Collects what a process says until it has ended. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Resolves once standard output holds the text. */
export function untilSaid(child: ChildProcess, text: string): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(text)) resolve();
    });
    child.on('close', () => reject(new Error(`it ended before it said ${text}`)));
  });
}

/** Which compilers ran so far. */
export function builds(root: string): string[] {
  return readFileSync(join(root, 'builds.log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
}
