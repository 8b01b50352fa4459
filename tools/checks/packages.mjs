import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { missingPlatforms } from '../lockfile-platforms.mjs';

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const CONDITIONS = { '@tallygate/source': './src/*.ts', types: './dist/*.d.ts', default: './dist/*.js' };

/**
 * Every dependency is pinned, the lockfile is complete and runs no install scripts, packages resolve alike.
 * @param {string} root
 * @returns {string[]}
 */
export function checkManifests(root) {
  const lock = readJson(root, 'package-lock.json');
  const folders = workspaceFolders(lock);
  const rootManifest = readJson(root, 'package.json');
  return [
    ...['', ...folders].flatMap((folder) => checkPinned(root, folder)),
    ...folders.flatMap((folder) => checkWorkspace(root, folder, rootManifest)),
    ...Object.entries(rootManifest.bin ?? {}).flatMap(([name, path]) =>
      checkBinary(root, name, String(path)),
    ),
    ...checkLock(lock),
  ];
}

/**
 * What publint finds in the packages that are built for Node.
 * @param {string} root
 * @returns {Promise<string[]>}
 */
export async function checkPublished(root) {
  const findings = [];
  for (const folder of ['packages/contract', 'packages/server', 'packages/cli']) {
    const { messages, pkg } = await publint({ pkgDir: join(root, folder), level: 'warning', pack: false });
    for (const message of messages)
      findings.push(`${folder}: ${formatMessage(message, /** @type {any} */ (pkg), { color: false })}`);
  }
  return findings;
}

/** @param {any} lock */
function workspaceFolders(lock) {
  return Object.keys(lock.packages).filter((folder) => folder.startsWith('packages/'));
}

/** @param {string} root @param {string} folder */
function checkPinned(root, folder) {
  const manifest = readJson(root, join(folder, 'package.json'));
  const dependencies = {
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  };
  return Object.entries(dependencies)
    .filter(([, version]) => !EXACT.test(String(version)))
    .map(
      ([name, version]) => `${join(folder, 'package.json')}: ${name} is ${version}, not one exact version`,
    );
}

/** @param {string} root @param {string} folder @param {any} rootManifest */
function checkWorkspace(root, folder, rootManifest) {
  const path = join(folder, 'package.json');
  const manifest = readJson(root, path);
  const findings = [];
  if (JSON.stringify(manifest.exports) !== JSON.stringify({ './*': CONDITIONS })) {
    findings.push(`${path}: exports must be ${JSON.stringify(CONDITIONS)} in this order for "./*"`);
  }
  for (const field of ['version', 'license', 'type']) {
    if (manifest[field] !== rootManifest[field])
      findings.push(`${path}: ${field} differs from that of the root`);
  }
  return findings;
}

/** @param {string} root @param {string} name @param {string} path */
function checkBinary(root, name, path) {
  if (!existsSync(join(root, path))) return [`package.json: bin ${name} names ${path}, which does not exist`];
  const executable = (statSync(join(root, path)).mode & 0o111) !== 0;
  return executable ? [] : [`package.json: bin ${name} is not executable: run "chmod +x ${path}"`];
}

/** @param {any} lock */
function checkLock(lock) {
  const entries = Object.entries(lock.packages);
  const scripts = entries.filter(([, entry]) => entry.hasInstallScript && !entry.optional);
  const noChecksum = entries.filter(
    ([folder, entry]) =>
      folder.includes('node_modules/') && !entry.link && !entry.optional && !entry.integrity,
  );
  return [
    ...scripts.map(
      ([folder]) => `package-lock.json: ${folder} has an install script, and those do not run here`,
    ),
    ...noChecksum.map(([folder]) => `package-lock.json: ${folder} has no checksum`),
    ...missingPlatforms(lock).map(
      ({ folder }) => `package-lock.json: ${folder} is missing: run "node tools/lockfile-platforms.mjs"`,
    ),
  ];
}

/** @param {string} root @param {string} path */
function readJson(root, path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
