import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the bundled program is, from the root of a clone. */
export const PROGRAM_FOLDER = 'packages/cli/dist/program';

/** The program's first file, from the root of a clone. */
export const PROGRAM_MAIN = `${PROGRAM_FOLDER}/main.js`;

/** Where Node keeps compiled code between starts, from the root of a clone. */
export const COMPILED_FOLDER = 'node_modules/.cache/tallygate/compiled';

/** In the folder: the names of all files of the last build. */
export const PROGRAM_FILES = 'files.json';

/** Whether all is there that the last build wrote. @param {string} root */
export function isProgramWhole(root) {
  const folder = join(root, PROGRAM_FOLDER);
  /** @type {string[]} */
  const files = JSON.parse(readFileSync(join(folder, PROGRAM_FILES), 'utf8'));
  return files.every((name) => existsSync(join(folder, name)));
}
