import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainWriteError } from './fault.mjs';
import { withLock } from './lock.mjs';
import { runNpm } from './npm.mjs';
import { withProgress } from './progress.mjs';
import { glibcVersion } from './runtime.mjs';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry */

/**
 * Installs the dependencies when they are missing, incomplete, or of another lockfile or machine.
 * @param {string} root
 * @param {string} runtime
 * @throws {import('./fault.mjs').Fault}
 */
export async function ensureDependencies(root, runtime) {
  if (whatIsMissing(root) === null) return;
  await withLock(root, async () => {
    const reason = whatIsMissing(root);
    if (reason === null) return;
    if (adoptable(root)) return writeStamp(root);
    await withProgress(`Installing dependencies (${reason})`, () => install(root, runtime));
  });
}

/** @param {string} root @param {string} runtime */
async function install(root, runtime) {
  try {
    rmSync(stampPath(root), { force: true });
    mkdirSync(join(root, 'node_modules'), { recursive: true });
  } catch (error) {
    throw explainWriteError(error, root);
  }
  await runNpm({ runtime, cwd: root, args: ['ci', '--include=dev'], purpose: 'install the dependencies' });
  writeStamp(root);
}

/**
 * Why an installation is needed, or null. Looks only at what is quick to see, on every start.
 * @param {string} root
 */
function whatIsMissing(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'first start';
  const stamp = readJson(stampPath(root));
  if (stamp === null) return 'not finished before';
  if (stamp.lock !== lockHash(root)) return 'the lockfile changed';
  if (stamp.machine !== machine()) return 'they were installed for another machine';
  const missing = stamp.folders.find(
    (/** @type {string} */ folder) => !existsSync(join(root, folder, 'package.json')),
  );
  return missing === undefined ? null : `${missing} is missing`;
}

/**
 * Whether somebody ran `npm install` or `npm ci` themselves, to the same result: npm's own record of what it
 * installed names the lockfile's versions.
 * @param {string} root
 */
function adoptable(root) {
  if (existsSync(stampPath(root))) return false;
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (installed === undefined) return false;
  const wanted = wantedPackages(root);
  return wanted.every(
    ([folder, entry]) =>
      existsSync(join(root, folder, 'package.json')) &&
      (entry.link === true ||
        (installed[folder]?.version === entry.version && installed[folder]?.integrity === entry.integrity)),
  );
}

/** @param {string} root @returns {[string, LockEntry][]} */
function wantedPackages(root) {
  const packages = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  return Object.entries(packages).filter(
    ([folder, entry]) => folder.includes('node_modules/') && fitsMachine(entry),
  );
}

/** npm leaves out optional packages built for other systems. @param {LockEntry} entry */
function fitsMachine({ optional, os, cpu, libc }) {
  if (!optional) return true;
  if (os === undefined && cpu === undefined && libc === undefined) return false; // may have been left out for any reason
  return allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, libcName());
}

/** @param {string[] | undefined} list @param {string} value */
function allows(list, value) {
  return list === undefined || list.includes(value);
}

function libcName() {
  return glibcVersion() === undefined ? 'musl' : 'glibc';
}

/** @param {string} root */
function writeStamp(root) {
  const folders = wantedPackages(root)
    .map(([folder]) => folder)
    .filter((folder) => existsSync(join(root, folder, 'package.json')));
  try {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(stampPath(root), JSON.stringify({ lock: lockHash(root), machine: machine(), folders }));
  } catch (error) {
    throw explainWriteError(error, root);
  }
}

function machine() {
  return `${process.platform}-${process.arch}`;
}

/** @param {string} root */
export function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** @param {string} root */
function stampPath(root) {
  return join(root, 'node_modules', '.tallygate-install.json');
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
