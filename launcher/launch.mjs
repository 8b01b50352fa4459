// Finds the runtime, installs and builds what is stale, and hands over to the program that was asked for.
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuilt } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { childEnvironment, execute } from './execute.mjs';
import { Fault } from './fault.mjs';
import { PROGRAM_MAIN } from './program-files.mjs';
import { ensureRuntime } from './runtime.mjs';
import { QUIET, SERVER_FLAGS } from './server-process.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Packages resolve to each other's sources. */
const FROM_SOURCE = '--conditions=@tallygate/source';

/** Folders whose change restarts the development server. */
const WATCHED = ['packages/contract/src', 'packages/server/src', 'packages/cli/src'];

/**
 * @typedef {object} Script
 * @property {'program' | 'everything' | null} build which build results the programs need
 * @property {(root: string, args: string[]) => string[][]} programs arguments of each Node process to run
 */

/** @type {Record<string, Script>} */
const SCRIPTS = {
  start: { build: 'everything', programs: (root, args) => [commandLine(root, ['start', ...args])] },
  test: {
    build: 'everything',
    programs: (root, args) => [[join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args]],
  },
  check: { build: null, programs: (root, args) => [tool(root, 'tools/check.mjs', args)] },
  sbom: { build: null, programs: (root, args) => [tool(root, 'tools/sbom.mjs', args)] },
  docs: { build: null, programs: (root, args) => [tool(root, 'tools/generate-docs.mjs', args)] },
  bench: { build: 'everything', programs: (root, args) => [tool(root, 'bench/main.ts', args)] },
  chaos: { build: 'everything', programs: (root, args) => [tool(root, 'tests/chaos/main.ts', args)] },
  build: { build: 'everything', programs: () => [] },
  format: {
    build: null,
    programs: (root, args) => [
      [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--write', ...args],
    ],
  },
  dev: {
    build: null,
    programs: (root, args) => [
      [
        ...WATCHED.map((path) => `--watch-path=${join(root, path)}`),
        `--import=${pathToFileURL(join(root, 'tools/no-import-reports.mjs'))}`,
        ...tool(root, 'packages/cli/src/main.ts', ['start', ...args]),
      ],
      tool(root, 'tools/dev-dashboard.mjs', args),
    ],
  },
};

/**
 * Runs a script of package.json.
 * @param {string[]} argv name of the script, then what it is given
 */
export async function runScript([name = 'start', ...args]) {
  await reportingFaults(async () => {
    const script = SCRIPTS[name];
    if (script === undefined) {
      throw new Fault(
        `There is no script ${name}.`,
        'package.json and the launcher have to name the same ones.',
        `Use one of: ${Object.keys(SCRIPTS).join(', ')}.`,
      );
    }
    await prepareAndRun(script, args, ROOT);
  });
}

/**
 * Runs the command line.
 * @param {string[]} args
 */
export async function runCommandLine(args) {
  const build = args[0] === 'start' ? 'everything' : 'program';
  await reportingFaults(() =>
    prepareAndRun({ build, programs: (root) => [commandLine(root, args)] }, args, process.cwd()),
  );
}

/** @param {Script} script @param {string[]} args @param {string} cwd */
async function prepareAndRun(script, args, cwd) {
  const runtime = await ensureRuntime(ROOT);
  if (isClone()) {
    await ensureDependencies(ROOT, runtime);
    if (script.build !== null) await ensureBuilt(ROOT, runtime, script.build);
  }
  const env = childEnvironment(ROOT, runtime);
  const programs = script
    .programs(ROOT, args)
    .map((nodeArgs) => ({ command: runtime, args: nodeArgs, cwd, env }));
  if (programs.length > 0) process.exitCode = await execute(programs);
}

/** An installed package comes built, and its dependencies belong to whoever installed it. */
function isClone() {
  return !ROOT.split(sep).includes('node_modules') && existsSync(join(ROOT, 'package-lock.json'));
}

/** @param {string} root @param {string[]} args */
function commandLine(root, args) {
  const flags = args[0] === 'start' ? SERVER_FLAGS : [];
  return [QUIET, ...flags, join(root, PROGRAM_MAIN), ...args];
}

/** @param {string} root @param {string} path @param {string[]} args */
function tool(root, path, args) {
  return [FROM_SOURCE, QUIET, join(root, path), ...args];
}

/** @param {() => Promise<void>} work */
async function reportingFaults(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
