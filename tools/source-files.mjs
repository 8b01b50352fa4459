import { readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.runtime', 'data', 'coverage', 'results']);

/**
 * Files below a folder, as paths from the root with forward slashes, in a stable order. What is installed,
 * built or written at run time is left out.
 * @param {string} root @param {string} folder @param {RegExp} [pattern]
 * @returns {string[]}
 */
export function filesUnder(root, folder, pattern = /./) {
  const path = join(root, folder);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !SKIPPED.has(entry.name))
    .flatMap((entry) => {
      const inner = relative(root, join(path, entry.name)).split(sep).join('/');
      return entry.isDirectory() ? filesUnder(root, inner, pattern) : [inner];
    })
    .filter((file) => pattern.test(file))
    .sort();
}

/** @param {string} path */
export function isTest(path) {
  return /\.test\.tsx?$/.test(path) || /^(tests|bench)\//.test(path);
}
