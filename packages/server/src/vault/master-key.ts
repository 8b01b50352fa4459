import { randomBytes as cryptoRandomBytes } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret } from '../kernel/secret.ts';
import { MASTER_KEY_BYTES } from './aes-vault.ts';
import type { SealContext, Vault } from './vault.ts';

/** Why the server cannot start with the master key it was given; the message says what to do. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

export interface MasterKey {
  bytes: Buffer;
  /** `created` on the first run: tell the operator to back the file up. */
  source: 'environment' | 'file' | 'created';
}

export interface MasterKeyOptions {
  path: string;
  /** Base64, base64url or hex of 32 bytes; wins over the file, which is then neither read nor created. */
  fromEnvironment: Secret | null;
  /** Ids of the keys that open what is stored: then no new one is made in the place of a missing one. */
  needed?: readonly string[];
  randomBytes?: (size: number) => Uint8Array;
}

const CHECK_CONTEXT: SealContext = { table: 'setting', row: 'vault_check', column: 'value' };
const CHECK_TEXT = 'tallygate vault check 1';
/** Name of the setting that holds a value sealed with the right master key. */
export const VAULT_CHECK_SETTING = 'vault_check';

function decodeKey(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const bytes = Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
  return bytes.length === MASTER_KEY_BYTES ? bytes : null;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Reads the key file; null when there is none. */
async function readKeyFile(path: string): Promise<Buffer | null> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw new MasterKeyError(
      `The master key ${path} cannot be read (${errorCode(error) ?? 'unknown error'}).`,
      {
        cause: error,
      },
    );
  });
  if (file === null) return null;
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new MasterKeyError(`The master key ${path} is not a regular file.`);
    // Windows has no mode bits: there every file shows as 0666, and the folder's own rights decide.
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0) {
      throw new MasterKeyError(
        `The master key ${path} can be read or changed by other users of this machine. Run: chmod 600 '${path}'`,
      );
    }
    if (status.size !== MASTER_KEY_BYTES) {
      throw new MasterKeyError(
        `The master key ${path} has ${status.size} bytes instead of ${MASTER_KEY_BYTES}. Restore it from your backup.`,
      );
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Puts what was renamed or linked in the folder of `path` on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems refuse to sync a folder (EINVAL, EPERM): the file itself is on the disk by then.
    if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'EPERM') throw error;
  } finally {
    await folder.close();
  }
}

/** Puts the finished file in place; false when another process was first. Nobody ever sees half a key. */
async function publish(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    await unlink(temporary);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      await unlink(temporary);
      return false;
    }
    // No hard links on this file system; the lock on the data directory keeps a second server out.
    await rename(temporary, path);
    return true;
  }
}

async function createKeyFile(path: string, bytes: Uint8Array, suffix: string): Promise<boolean> {
  const temporary = `${path}.${suffix}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  const created = await publish(temporary, path);
  await syncFolder(path);
  return created;
}

/**
 * Loads the master key of the vault: from the environment, else from its file, which the first run creates
 * (32 random bytes, 0600, on the disk before it is used).
 * @throws MasterKeyError when the key has a wrong form or length, or its file is open to other users.
 */
export async function loadMasterKey(options: MasterKeyOptions): Promise<MasterKey> {
  if (options.fromEnvironment !== null) {
    const bytes = decodeKey(options.fromEnvironment.reveal().trim());
    if (bytes === null) {
      throw new MasterKeyError(
        `The master key in the environment is not ${MASTER_KEY_BYTES} bytes in base64 or hex. Make one with: openssl rand -base64 ${MASTER_KEY_BYTES}`,
      );
    }
    return { bytes, source: 'environment' };
  }
  const existing = await readKeyFile(options.path);
  if (existing !== null) return { bytes: existing, source: 'file' };
  const { needed = [] } = options;
  if (needed.length > 0) {
    throw new MasterKeyError(
      `There is no master key at ${options.path}, and this installation's secrets need key ${needed.join(' or ')}. Restore it from your backup, or set TALLYGATE_MASTER_KEY.`,
    );
  }
  const randomBytes = options.randomBytes ?? cryptoRandomBytes;
  const fresh = Buffer.from(randomBytes(MASTER_KEY_BYTES));
  const suffix = Buffer.from(randomBytes(6)).toString('hex');
  if (await createKeyFile(options.path, fresh, suffix)) return { bytes: fresh, source: 'created' };
  const other = await readKeyFile(options.path);
  if (other === null) throw new MasterKeyError(`The master key ${options.path} vanished while starting.`);
  return { bytes: other, source: 'file' };
}

/** The settings of the store, as far as the check needs them. */
export interface CheckSettings {
  getSetting(name: string): Promise<string | null>;
  setSetting(name: string, value: string): Promise<void>;
}

/** Seals the check value when there is none yet. */
export async function writeCheckValue(vault: Vault, settings: CheckSettings): Promise<void> {
  if ((await settings.getSetting(VAULT_CHECK_SETTING)) !== null) return;
  await settings.setSetting(VAULT_CHECK_SETTING, vault.seal(new Secret(CHECK_TEXT), CHECK_CONTEXT));
}

/**
 * Proves that this master key opens what a store without data keys holds, by the check value sealed on its first
 * run. A store that is new has none.
 * @param where what to name in the message: the path of the key file or the environment variable
 * @throws MasterKeyError when the stored check value does not open.
 */
export async function verifyMasterKey(
  vault: Vault & { readonly keyId: string },
  settings: CheckSettings,
  where: string,
): Promise<void> {
  const stored = await settings.getSetting(VAULT_CHECK_SETTING);
  if (stored === null) return;
  const needed = /^tgv1\.([0-9a-f]{16})\./.exec(stored)?.[1] ?? 'unknown';
  try {
    if (vault.open(stored, CHECK_CONTEXT).reveal() === CHECK_TEXT) return;
  } catch (cause) {
    throw new MasterKeyError(
      `The master key from ${where} (id ${vault.keyId}) does not open this installation's secrets: they were sealed with key ${needed}. Restore that key from your backup.`,
      { cause },
    );
  }
  throw new MasterKeyError(`The vault check value in the store is not one of ours (key ${needed}).`);
}
