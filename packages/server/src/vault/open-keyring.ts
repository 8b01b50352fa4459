import type { Secret } from '../kernel/secret.ts';
import { createVault, type MasterVault } from './aes-vault.ts';
import type { KeyLock } from './key-lock.ts';
import { createDataKey, type DataKey, Keyring, unwrapDataKey, wrapDataKey } from './keyring.ts';
import {
  type CheckSettings,
  loadMasterKey,
  type MasterKey,
  MasterKeyError,
  VAULT_CHECK_SETTING,
  verifyMasterKey,
  writeCheckValue,
} from './master-key.ts';
import { type Resealed, resealAll } from './reseal.ts';
import { parseSealed } from './sealer.ts';
import type { VaultStorage } from './vault-storage.ts';

/** Setting that names the master key a rotation is on the way to; empty when none is. */
export const NEXT_MASTER_SETTING = 'vault_next_master_key';
/** A retired data key that seals nothing any more is kept this long, for whoever still holds it in memory. */
const RETIRED_KEY_KEPT_MS = 24 * 3600_000;

export interface KeyringParts {
  storage: VaultStorage;
  settings: CheckSettings;
  /** Path of the master key's file. */
  path: string;
  fromEnvironment: Secret | null;
  /** What locks that file; the key stands in it as it is without one. */
  lock?: KeyLock | undefined;
  /** Where the key lay before it was locked. */
  plainPath?: string | undefined;
  nowMs: number;
  randomBytes: (size: number) => Uint8Array;
}

export interface OpenedKeyring {
  keyring: Keyring;
  source: MasterKey['source'];
  notices: string[];
}

/** The master keys that open what is stored; empty on a first run. */
async function neededMasterKeys({ storage, settings }: KeyringParts): Promise<string[]> {
  const ids = new Set((await storage.listDataKeys()).map((row) => row.masterKeyId));
  const check = parseSealed((await settings.getSetting(VAULT_CHECK_SETTING)) ?? '');
  if (ids.size === 0 && check?.format === 'tgv1') ids.add(check.keyId);
  return [...ids];
}

/** @throws MasterKeyError when this master key is not the one that is needed */
async function openDataKeys(parts: KeyringParts, master: MasterVault, where: string): Promise<DataKey[]> {
  const rows = await parts.storage.listDataKeys();
  const mine = rows.filter((row) => row.masterKeyId === master.keyId);
  const missing = rows.some((row) => !mine.some((candidate) => candidate.id === row.id));
  if (missing) {
    const needed = [...new Set(rows.map((row) => row.masterKeyId))].join(' or ');
    throw new MasterKeyError(
      `The master key from ${where} (id ${master.keyId}) does not open this installation's secrets: they need key ${needed}. Restore that key from your backup.`,
    );
  }
  try {
    return mine.map((row) => unwrapDataKey(master, row));
  } catch (cause) {
    throw new MasterKeyError(
      `A data key in the store was changed: the master key ${master.keyId} made it and no longer opens it. Restore the store from your backup.`,
      { cause },
    );
  }
}

/** Ends a rotation of the master key that only lacked this start with the new one. */
async function finishMasterRotation(
  { storage, settings }: KeyringParts,
  master: MasterVault,
): Promise<string[]> {
  if ((await settings.getSetting(NEXT_MASTER_SETTING)) !== master.keyId) return [];
  const others = (await storage.listDataKeys())
    .map((row) => row.masterKeyId)
    .filter((id) => id !== master.keyId);
  await storage.deleteWrappings([...new Set(others)]);
  await settings.setSetting(NEXT_MASTER_SETTING, '');
  return [`The master key ${master.keyId} is in force; the one before it opens this store no longer.`];
}

async function dropRetiredKeys(parts: KeyringParts, keyring: Keyring): Promise<void> {
  const keys = keyring.keys();
  const newest = keys.at(-1);
  if (newest === undefined || parts.nowMs - newest.createdAtMs < RETIRED_KEY_KEPT_MS) return;
  const used = new Set((await parts.storage.listSealed()).map((value) => parseSealed(value.text)?.keyId));
  const unused = keys.filter((key) => key.id !== newest.id && !used.has(key.id));
  await parts.storage.deleteDataKeys(unused.map((key) => key.id));
}

/** Adds the data keys that another node made. @returns how many there were */
export async function learnDataKeys(keyring: Keyring, storage: VaultStorage): Promise<number> {
  const known = new Set(keyring.keys().map(({ id }) => id));
  const fresh = (await storage.listDataKeys()).filter(
    (row) => row.masterKeyId === keyring.masterKeyId && !known.has(row.id),
  );
  for (const row of fresh) keyring.add(keyring.unwrap(row));
  return fresh.length;
}

async function resealAtStart(keyring: Keyring, storage: VaultStorage): Promise<Resealed> {
  try {
    return await resealAll(keyring, storage);
  } catch (cause) {
    // Another node, starting at this moment, may have made a key and sealed with it since the keys were read.
    if ((await learnDataKeys(keyring, storage)) > 0) return resealAtStart(keyring, storage);
    const reason = cause instanceof Error ? cause.message : 'the reason is not known';
    throw new MasterKeyError(
      `A sealed value in the store does not open: ${reason}. Restore the store, or the key it names, from your backup.`,
      { cause },
    );
  }
}

function createdNotice(path: string, lock: KeyLock | undefined): string {
  const made = `A new master key is in ${path}`;
  return lock === undefined
    ? `${made}. Back it up: without it the stored upstream keys cannot be opened.`
    : `${made}, locked by ${lock.name}. Back both up: without either the stored upstream keys cannot be opened.`;
}

function adoptedNotice(path: string, plainPath: string, lock: KeyLock | undefined): string {
  return `The master key of ${plainPath} is in ${path} now, locked by ${lock?.name ?? 'nothing'}. Move ${plainPath} to your backup: whoever reads it needs no lock.`;
}

/**
 * Opens the vault of an installation: finds the master key, unwraps the data keys (makes the first one), and
 * finishes what an earlier process left: values of an older key or format, readable ones, a rotation.
 * @throws MasterKeyError when the master key is missing, wrong or damaged; it says which one is needed
 */
export async function openKeyring(parts: KeyringParts): Promise<OpenedKeyring> {
  const { storage, settings, path, fromEnvironment, randomBytes } = parts;
  const needed = await neededMasterKeys(parts);
  const { lock, plainPath } = parts;
  const loaded = await loadMasterKey({ path, fromEnvironment, randomBytes, needed, lock, plainPath });
  const where = loaded.source === 'environment' ? 'the environment' : path;
  const master = createVault(loaded.bytes, randomBytes);
  const notices = loaded.source === 'created' ? [createdNotice(path, lock)] : [];
  if (loaded.source === 'adopted') notices.push(adoptedNotice(path, plainPath ?? '', lock));
  const known = await openDataKeys(parts, master, where);
  if (known.length === 0) {
    await verifyMasterKey(master, settings, where);
    const first = createDataKey(randomBytes, { nowMs: parts.nowMs, newestMs: 0 });
    await storage.insertDataKeys([wrapDataKey(master, first)]);
    known.push(...(await openDataKeys(parts, master, where))); // its own, and those of nodes that start beside it
  }
  const [first, ...rest] = known as [DataKey, ...DataKey[]];
  const keyring = new Keyring(master, [first, ...rest], randomBytes);
  await writeCheckValue(keyring, settings);
  const { resealed, plaintext } = await resealAtStart(keyring, storage);
  if (plaintext > 0)
    notices.push(
      `${plaintext} credentials stood readable in the store and are sealed now. Replace them if others could read it.`,
    );
  if (resealed > 0)
    notices.push(`${resealed} sealed values of an older key were sealed with the present one.`);
  notices.push(...(await finishMasterRotation(parts, master)));
  await dropRetiredKeys(parts, keyring);
  return { keyring, source: loaded.source, notices };
}
