import { randomBytes as cryptoRandomBytes } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret } from '../kernel/secret.ts';
import { MASTER_KEY_BYTES } from './aes-vault.ts';
import { type KeyLock, lockedKeyText, MAX_LOCKED_BYTES, parseLockedKey } from './key-lock.ts';
import type { SealContext, Vault } from './vault.ts';

/** Why the server cannot start with the master key it was given; the message says what to do. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

export interface MasterKey {
  bytes: Buffer;
  /**
   * `created` on the first run: tell the operator to back the file up. `adopted`: it lay readable and was locked now.
   */
  source: 'environment' | 'file' | 'created' | 'adopted';
}

export interface MasterKeyOptions {
  path: string;
  /** Base64, base64url or hex of 32 bytes; wins over the file, which is then neither read nor created. */
  fromEnvironment: Secret | null;
  /** What locks the file; without it the key stands in it as it is. */
  lock?: KeyLock | undefined;
  /** Where an unlocked key may lie that was used until now. */
  plainPath?: string | undefined;
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

/** The key in a file of the right form. @throws MasterKeyError */
async function keyIn(path: string, content: Buffer, lock: KeyLock | undefined): Promise<Buffer> {
  const locked = parseLockedKey(content.toString('latin1'));
  if (lock === undefined) {
    if (content.length === MASTER_KEY_BYTES) return content;
    throw new MasterKeyError(
      locked === null
        ? `The master key ${path} has ${content.length} bytes instead of ${MASTER_KEY_BYTES}. Restore it from your backup.`
        : `The master key ${path} is locked. Set TALLYGATE_MASTER_KEY_SOURCE=${locked.kind}.`,
    );
  }
  if (locked?.kind !== lock.kind) {
    throw new MasterKeyError(
      `The master key ${path} is not one that is locked by ${lock.name}. Restore it from your backup.`,
    );
  }
  const key = await lock.unlock(locked.body);
  if (key.length === MASTER_KEY_BYTES) return key;
  throw new MasterKeyError(`What ${path} holds is no master key. Restore it from your backup.`);
}

/** Reads the key file; null when there is none. */
async function readKeyFile(path: string, lock?: KeyLock): Promise<Buffer | null> {
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
    if (status.size > MAX_LOCKED_BYTES)
      throw new MasterKeyError(
        `The master key ${path} is no key: it has ${status.size} bytes instead of ${MASTER_KEY_BYTES}.`,
      );
    return await keyIn(path, await file.readFile(), lock);
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

async function createKeyFile(path: string, content: Uint8Array | string, suffix: string): Promise<boolean> {
  const temporary = `${path}.${suffix}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(content);
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
  const { lock, plainPath } = options;
  const existing = await readKeyFile(options.path, lock);
  if (existing !== null) return { bytes: existing, source: 'file' };
  const plain = plainPath === undefined ? null : await readKeyFile(plainPath);
  if (plain !== null) return makeKeyFile(options, plain, 'adopted');
  const { needed = [] } = options;
  if (needed.length > 0) {
    throw new MasterKeyError(
      `There is no master key at ${options.path}, and this installation's secrets need key ${needed.join(' or ')}. Restore it from your backup, or set TALLYGATE_MASTER_KEY.`,
    );
  }
  const { randomBytes = cryptoRandomBytes } = options;
  return makeKeyFile(options, Buffer.from(randomBytes(MASTER_KEY_BYTES)), 'created');
}

/** Writes the key down, locked where there is a lock; another process that was first wins. */
async function makeKeyFile(
  { path, lock, randomBytes = cryptoRandomBytes }: MasterKeyOptions,
  key: Buffer,
  source: 'created' | 'adopted',
): Promise<MasterKey> {
  const suffix = Buffer.from(randomBytes(6)).toString('hex');
  const content = lock === undefined ? key : lockedKeyText(lock.kind, await lock.lock(key));
  if (await createKeyFile(path, content, suffix)) return { bytes: key, source };
  const other = await readKeyFile(path, lock);
  if (other === null) throw new MasterKeyError(`The master key ${path} vanished while starting.`);
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
