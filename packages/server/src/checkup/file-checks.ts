import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CheckResult } from '@tallygate/contract/api/checkup';
import { formatBytes } from '@tallygate/contract/bytes';
import { type CheckContext, fail, ok, quoted, warn, withCommand } from './check.ts';

const GIB = 1024 ** 3;
const LOW_BYTES = GIB;
const FULL_BYTES = 0.2 * GIB;
/** Files may be this much younger than the clock says: network file systems have clocks of their own. */
const CLOCK_TOLERANCE_MS = 60_000;
/** No clock is before the day this program was written. */
const EARLIEST_MS = Date.parse('2026-01-01T00:00:00Z');

async function statOrNull(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const octal = (mode: number) => (mode & 0o777).toString(8).padStart(4, '0');

export async function checkDataDirectory({ paths, uid }: CheckContext): Promise<CheckResult> {
  const id = 'data_directory';
  const { dir } = paths;
  const found = await statOrNull(dir);
  if (found === null)
    return warn(id, `${dir} does not exist yet.`, 'It is made by the first "tallygate start".');
  if (!found.isDirectory()) return fail(id, `${dir} is not a folder.`, 'Name another one with --data-dir.');
  try {
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return fail(
      id,
      `${dir} cannot be written by this user.`,
      `Run as its owner (user id ${found.uid}), or change its owner.`,
    );
  }
  if (uid !== null && found.uid !== uid && uid !== 0) {
    return warn(id, `${dir} belongs to another user (id ${found.uid}).`, 'Run as that user.');
  }
  if (uid !== null && (found.mode & 0o077) !== 0) {
    const open = `${dir} is open to other users of this machine (${octal(found.mode)}).`;
    return withCommand(warn(id, open, ''), `chmod 700 ${quoted(dir)}`);
  }
  return ok(id, `${dir} is there, writable, and private.`);
}

async function nearestExisting(path: string): Promise<string> {
  const found = await statOrNull(path);
  const parent = dirname(path);
  return found !== null || parent === path ? path : nearestExisting(parent);
}

export async function checkDiskSpace({ paths }: CheckContext): Promise<CheckResult> {
  const id = 'disk_space';
  const place = await nearestExisting(paths.dir);
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const text = `${formatBytes(free)} free for the data directory`;
  const fix = 'Free some space, or move the data directory to a larger disk.';
  if (free < FULL_BYTES) return fail(id, `Only ${text}: requests are refused when it runs out.`, fix);
  return free < LOW_BYTES ? warn(id, `Only ${text}.`, fix) : ok(id, `${text}.`);
}

/** Newest change in the data directory: if that lies ahead, the clock was set back. */
async function newestChangeMs(dir: string): Promise<number> {
  const names = await readdir(dir).catch(() => []);
  const times = await Promise.all(
    names.map(async (name) => (await statOrNull(join(dir, name)))?.mtimeMs ?? 0),
  );
  return Math.max(0, ...times);
}

export async function checkClock({ paths, now: readClock }: CheckContext): Promise<CheckResult> {
  const id = 'clock';
  const now = readClock();
  const shown = now.toISOString();
  const fix = 'Set the clock, and keep it right with NTP (timedatectl set-ntp true).';
  if (now.getTime() < EARLIEST_MS) return fail(id, `The clock says ${shown}, which cannot be.`, fix);
  const { dir, journalDir } = paths;
  const newest = Math.max(await newestChangeMs(dir), await newestChangeMs(journalDir));
  if (newest > now.getTime() + CLOCK_TOLERANCE_MS) {
    const ahead = new Date(newest).toISOString();
    return warn(
      id,
      `The clock says ${shown}, but the data directory was written at ${ahead}: it was set back.`,
      fix,
    );
  }
  return ok(id, `The clock says ${shown}, and nothing in the data directory is newer.`);
}

export async function checkMasterKey({
  config,
  paths,
  uid,
  masterKeyFrom,
}: CheckContext): Promise<CheckResult> {
  const id = 'master_key';
  if (config.masterKey !== null) return ok(id, `The master key comes from ${masterKeyFrom}.`);
  const { masterKey, lockedMasterKey } = paths;
  const path = config.masterKeySource === 'file' ? masterKey : lockedMasterKey;
  const found = await statOrNull(path);
  if (found === null) {
    if ((await statOrNull(paths.database)) === null)
      return ok(id, 'No master key yet; it is made on first start.');
    return fail(
      id,
      `${path} is gone, but there is a database.`,
      'Put the file back from its copy: upstream credentials cannot be opened without it.',
    );
  }
  if (uid !== null && (found.mode & 0o077) !== 0) {
    const open = `${path} can be read by other users (${octal(found.mode)}).`;
    return withCommand(fail(id, open, ''), `chmod 600 ${quoted(path)}`);
  }
  return ok(id, `${path} is private (${octal(found.mode)}).`);
}

/** Whoever can change the settings of the server can take it over. */
export async function checkSettingsFile({ settingsFile, uid }: CheckContext): Promise<CheckResult> {
  const id = 'settings_file';
  if (settingsFile === null) return ok(id, 'No setting comes from a file.');
  const found = await stat(settingsFile);
  if (uid === null || (found.mode & 0o022) === 0)
    return ok(id, `${settingsFile} can be changed by its owner alone.`);
  const open = `${settingsFile} can be changed by other users.`;
  return withCommand(fail(id, open, ''), `chmod go-w ${quoted(settingsFile)}`);
}
