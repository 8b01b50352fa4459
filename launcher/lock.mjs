// Two launchers in one clone must not install or build at once.
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { explainWriteError } from './fault.mjs';

const HEARTBEAT_MS = 2_000;
/** A holder that has not touched its lock for this long is gone, whatever its process id says. */
const SILENT_MS = 60_000;
const POLL_MS = 100;

/**
 * Runs `work` while this process alone holds the clone's lock; waits for another holder that is alive.
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  const folder = join(root, '.runtime');
  const path = join(folder, 'launcher.lock');
  const token = JSON.stringify({ pid: process.pid, host: hostname(), at: Date.now() });
  try {
    mkdirSync(folder, { recursive: true });
    await acquire(path, token);
  } catch (error) {
    throw explainWriteError(error, root);
  }
  const release = () => {
    if (readOrNull(path) === token) rmSync(path, { force: true });
  };
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  process.once('exit', release); // also when a signal ends the launcher in the middle of an installation
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    release();
  }
}

/** @param {string} path @param {string} token */
async function acquire(path, token) {
  let told = false;
  while (!tryCreate(path, token)) {
    const holder = readOrNull(path);
    if (holder === null) continue;
    if (isStale(path, holder)) {
      removeStale(path, holder);
      continue;
    }
    if (!told)
      process.stderr.write(`Waiting for another Tallygate launcher${describe(holder)} to finish …\n`);
    told = true;
    await delay(POLL_MS);
  }
}

/** @param {string} path @param {string} token */
function tryCreate(path, token) {
  try {
    writeFileSync(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path @param {string} holder */
function isStale(path, holder) {
  const { pid, host } = parse(holder);
  if (host === hostname() && typeof pid === 'number' && !isAlive(pid)) return true;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > SILENT_MS;
}

/**
 * Between looking and removing, somebody else may have removed the stale lock and taken a new one: what was
 * moved away is looked at again, and put back when it is not the stale one.
 * @param {string} path @param {string} stale
 */
function removeStale(path, stale) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // removed by somebody else
  }
  if (readOrNull(aside) !== stale) {
    try {
      linkSync(aside, path);
    } catch {
      // Taken again meanwhile.
    }
  }
  rmSync(aside, { force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {{ code?: string }} */ (error).code === 'EPERM';
  }
}

/** @param {string} path */
function readOrNull(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** @param {string} path */
function touch(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The lock was taken away as stale, for example after the machine slept; the work goes on.
  }
}

/** @param {string} text @returns {{ pid?: unknown, host?: unknown }} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // caught between creation and writing
  }
}

/** @param {string} holder */
function describe(holder) {
  const { pid } = parse(holder);
  return typeof pid === 'number' ? ` (process ${pid})` : '';
}
