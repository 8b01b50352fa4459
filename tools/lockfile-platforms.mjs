// A registry mirror that keeps only some platforms' builds makes npm leave the others out of the lockfile, and
// `npm ci` then refuses it everywhere. This finds what is left out, and fills it in.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Words that packages of prebuilt programs use in their names, as npm spells them in `os`, `cpu` and `libc`. */
const OS = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  linuxmusl: 'linux',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  aix: 'aix',
  win32: 'win32',
};
const CPU = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  ppc64le: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  universal: undefined,
  wasm32: 'wasm32',
  x64: 'x64',
};
const LIBC = {
  gnu: 'glibc',
  gnueabihf: 'glibc',
  linuxmusl: 'musl',
  musl: 'musl',
  musleabi: 'musl',
  musleabihf: 'musl',
};

/**
 * The optional dependencies that packages of the lockfile name and that have no entry.
 * @param {{ packages: Record<string, any> }} lock
 * @returns {{ folder: string, version: string, dev: boolean }[]}
 */
export function missingPlatforms(lock) {
  const missing = [];
  for (const [parent, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (placesOf(parent, name).some((folder) => lock.packages[folder] !== undefined)) continue;
      missing.push({ folder: `node_modules/${name}`, version, dev: entry.dev === true });
    }
  }
  return missing;
}

/** Where Node would look for a dependency of a package. @param {string} parent @param {string} name */
function placesOf(parent, name) {
  const places = [`node_modules/${name}`];
  const parts = parent.split('/node_modules/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/node_modules/');
    if (folder !== '') places.push(`${folder}/node_modules/${name}`);
  }
  return places;
}

/**
 * The entry npm would have written, without the checksum that only the registry knows.
 * @param {{ folder: string, version: string, dev: boolean }} missing
 * @throws {Error} when the name does not say the platform, or the version is a range
 */
export function platformEntry({ folder, version, dev }) {
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${folder}: ${version} is not an exact version`);
  const words = (folder.split('/').pop() ?? '').split('-');
  const pick = (/** @type {Record<string, string | undefined>} */ table) =>
    words.map((word) => table[word]).find(Boolean);
  const [os, cpu, libc] = [pick(OS), pick(CPU), pick(LIBC)];
  if (os === undefined && cpu !== 'wasm32')
    throw new Error(`${folder}: the name does not say for which system it is`);
  return {
    version,
    ...(cpu && { cpu: [cpu] }),
    ...(dev && { dev: true }),
    ...(libc && { libc: [libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}

/** @param {string} path */
function fill(path) {
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingPlatforms(lock);
  for (const entry of missing) lock.packages[entry.folder] = platformEntry(entry);
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`${missing.length} entries added to package-lock.json\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  fill(fileURLToPath(new URL('../package-lock.json', import.meta.url)));
