import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lockHash } from './dependencies.mjs';
import { explainWriteError, Fault } from './fault.mjs';
import { withLock } from './lock.mjs';
import { capture } from './npm.mjs';
import { isProgramWhole, PROGRAM_MAIN } from './program-files.mjs';
import { withProgress } from './progress.mjs';

/**
 * @typedef {object} Unit
 * @property {string} name
 * @property {string[]} inputs folders and files that the result depends on
 * @property {string[]} outputs files that must exist for the result to be used
 * @property {(root: string) => boolean} isComplete
 * @property {(context: { root: string, runtime: string }) => Promise<void>} build
 */

const SHOWN_LINES = 12;
const BUNDLED = ['contract', 'server', 'cli'];
const TEST_FILE = /\.test\.tsx?$/;

/** @type {Unit[]} */
const PROGRAM = [
  {
    name: 'server and command line',
    inputs: [...BUNDLED.map((name) => `packages/${name}/src`), 'launcher/bundle.mjs'],
    outputs: [PROGRAM_MAIN],
    isComplete: isProgramWhole,
    build: bundleProgram,
  },
];

/** @type {Unit[]} */
const EVERYTHING = [
  ...PROGRAM,
  {
    name: 'dashboard',
    inputs: [
      'packages/dashboard/src',
      'packages/dashboard/index.html',
      'packages/dashboard/public',
      'packages/dashboard/vite.config.ts',
      'packages/contract/src',
    ],
    outputs: ['packages/dashboard/dist/index.html'],
    isComplete: () => true,
    build: bundleDashboard,
  },
];

/**
 * Builds whatever is older than its sources. Files are told apart by size and modification time, so that a
 * start with nothing to do spends milliseconds here.
 * @param {string} root
 * @param {string} runtime
 * @param {'program' | 'everything'} scope `program` is what the command line runs; `everything` adds the dashboard
 * @throws {Fault}
 */
export async function ensureBuilt(root, runtime, scope) {
  const units = scope === 'program' ? PROGRAM : EVERYTHING;
  if (units.every((unit) => isFresh(root, unit))) return;
  await withLock(root, async () => {
    for (const unit of units) {
      if (isFresh(root, unit)) continue;
      const before = fingerprint(root, unit); // of before: what is edited during the build is built next time
      rmSync(stampPath(root, unit), { force: true });
      await withProgress(`Building ${unit.name}`, () => unit.build({ root, runtime }));
      try {
        mkdirSync(dirname(stampPath(root, unit)), { recursive: true });
        writeFileSync(stampPath(root, unit), before);
      } catch (error) {
        throw explainWriteError(error, root);
      }
    }
  });
}

/** @param {string} root @param {Unit} unit */
function isFresh(root, unit) {
  if (!unit.outputs.every((path) => existsSync(join(root, path)))) return false;
  try {
    return readFileSync(stampPath(root, unit), 'utf8') === fingerprint(root, unit) && unit.isComplete(root);
  } catch {
    return false;
  }
}

/** @param {string} root @param {Unit} unit */
function fingerprint(root, unit) {
  const hash = createHash('sha256').update(lockHash(root));
  for (const input of unit.inputs) {
    for (const path of filesUnder(join(root, input))) {
      if (TEST_FILE.test(path)) continue;
      const { size, mtimeMs } = statSync(path);
      hash.update(`${path.slice(root.length)}\0${size}\0${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/** @param {string} root @param {Unit} unit */
function stampPath(root, unit) {
  return join(root, 'node_modules', '.cache', 'tallygate', `${unit.name.replaceAll(' ', '-')}.built`);
}

/** @param {{ root: string, runtime: string }} context */
async function bundleProgram({ root, runtime }) {
  const args = [join(root, 'launcher', 'bundle.mjs')];
  await run({ root, runtime, cwd: root, args, name: 'server and command line' });
}

/** @param {{ root: string, runtime: string }} context */
async function bundleDashboard({ root, runtime }) {
  const cwd = join(root, 'packages', 'dashboard');
  const vite = [join(cwd, 'node_modules'), join(root, 'node_modules')].map((folder) =>
    join(folder, 'vite', 'bin', 'vite.js'),
  );
  const args = [vite.find((path) => existsSync(path)) ?? vite[0] ?? '', 'build', '--logLevel', 'warn'];
  await run({ root, runtime, cwd, args, name: 'dashboard' });
}

/** @param {{ root: string, runtime: string, cwd: string, args: string[], name: string }} options */
async function run({ root, runtime, cwd, args, name }) {
  const { code, output } = await capture(runtime, args, { cwd, env: { ...process.env, NO_COLOR: '1' } });
  if (code === 0) return;
  if (/\b(ENOSPC|EROFS|EACCES)\b/.test(output)) {
    throw explainWriteError({ code: /\b(ENOSPC|EROFS|EACCES)\b/.exec(output)?.[0] }, root);
  }
  throw new Fault(
    `The ${name} could not be built.`,
    `The compiler said:\n${firstLines(output)}`,
    'Mend that when it is your change. In an unchanged clone the installation is damaged: delete node_modules and run the command again.',
  );
}

/** Compilers name the cause first. @param {string} output */
function firstLines(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(0, SHOWN_LINES)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Files below a folder in a stable order, or the file itself; none when there is no such path. @param {string} path @returns {string[]} */
function filesUnder(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)],
    );
}
