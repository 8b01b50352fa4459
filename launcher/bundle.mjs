// Bundles the server and the command line, with the libraries they use, into a few files
// (docs/decisions/0017-bundled-program.md). Run by build.mjs with the fetched runtime, from the clone's root.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { build } from 'rolldown';
import { COMPILED_FOLDER, PROGRAM_FILES, PROGRAM_FOLDER } from './program-files.mjs';

/** What is started by its name: the program, and each thread beside the file that starts it (`kernel/sibling-module.ts`). */
const ENTRIES = {
  main: 'packages/cli/src/main.ts',
  'ledger-thread': 'packages/server/src/wire/ledger-thread.ts',
  thread: 'packages/server/src/store/sqlite/thread.ts',
};

/** They find their compiled part by their own path; the last is optional, and not installed. */
const LEFT_OUT = [/^@napi-rs\//, /^@node-rs\//, 'pg-native'];

/**
 * V8 keeps a source of one byte a character unless one needs two, and then for all of it, in every thread. Outside of
 * strings, templates and patterns, where an escape means the same, our sources and libraries have ASCII only.
 * @param {string} code
 */
const asAscii = (code) =>
  code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * An ES import of `node:http` reads all it exports, `WebSocket` among them, and so loads the whole of the client that is
 * built into Node: about a tenth of a second and some megabytes for what nobody uses. This hands on the rest.
 * @type {import('rolldown').Plugin}
 */
const plainHttp = {
  name: 'plain-http',
  resolveId: (id, importer) => (id === 'node:http' && importer !== undefined ? '\0plain-http' : null),
  load(id) {
    if (id !== '\0plain-http') return null;
    const names = Object.entries(Object.getOwnPropertyDescriptors(http))
      .filter(([, { get }]) => get === undefined)
      .map(([name]) => name);
    return `const http = process.getBuiltinModule('node:http');
export default http;
export const { ${names.join(', ')} } = http;`;
  },
};

/** @param {string} folder @returns {string[]} */
function filesOfLastBuild(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, PROGRAM_FILES), 'utf8'));
  } catch {
    return [];
  }
}

/** Everything is there before anything is written: what cannot be bundled leaves the last build as it was. */
async function bundle() {
  const { output } = await build({
    write: false,
    input: ENTRIES,
    platform: 'node',
    external: LEFT_OUT,
    plugins: [plainHttp],
    tsconfig: false,
    resolve: { conditionNames: ['@tallygate/source', 'node'] },
    output: {
      format: 'esm',
      comments: false,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
  });
  return output.filter((file) => file.type === 'chunk');
}

/** @param {{ fileName: string, code: string }[]} chunks */
function write(chunks) {
  const files = chunks.map(({ fileName }) => fileName);
  // A server that still runs from the last build may import parts of it that it has not needed so far.
  const kept = new Set([...files, ...filesOfLastBuild(PROGRAM_FOLDER), PROGRAM_FILES]);
  mkdirSync(PROGRAM_FOLDER, { recursive: true });
  for (const { fileName, code } of chunks) writeFileSync(join(PROGRAM_FOLDER, fileName), asAscii(code));
  for (const name of readdirSync(PROGRAM_FOLDER)) {
    if (!kept.has(name)) rmSync(join(PROGRAM_FOLDER, name), { recursive: true });
  }
  writeFileSync(join(PROGRAM_FOLDER, PROGRAM_FILES), JSON.stringify(files));
  rmSync(COMPILED_FOLDER, { recursive: true, force: true }); // it is kept by name, and names are new with what is in them
}

try {
  write(await bundle());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
