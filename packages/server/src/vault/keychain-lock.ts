import { Secret } from '../kernel/secret.ts';
import type { KeyLock } from './key-lock.ts';
import { MasterKeyError } from './master-key.ts';
import { openWith, parseSealed, sealWith } from './sealer.ts';
import type { SealContext } from './vault.ts';

/** The keychain of the account that runs the server, as far as the lock needs it. */
export interface Keychain {
  /** Null when there is no such entry. @throws Error when the keychain cannot be used */
  read(name: string): Promise<string | null>;
  /** @throws Error when the keychain cannot be used */
  write(name: string, value: string): Promise<void>;
}

const SERVICE = 'tallygate';
const CONTEXT: SealContext = { table: 'keychain', row: 'master key', column: 'file' };
const ID_BYTES = 8;
const KEY_BYTES = 32;

/**
 * The keychain of the operating system: Keychain on macOS, Credential Manager on Windows, the Secret Service
 * (GNOME Keyring, KWallet) elsewhere. Never the kernel's keyring of Linux, which forgets at the next boot.
 */
export function systemKeychain(): Keychain {
  const entry = async (name: string) => {
    const { AsyncEntry } = await import('@napi-rs/keyring');
    return new AsyncEntry(SERVICE, name, { linux: { store: 'secret-service' } });
  };
  return {
    read: async (name) => (await (await entry(name)).getPassword()) ?? null,
    write: async (name, value) => (await entry(name)).setPassword(value),
  };
}

function unusable(cause: unknown): MasterKeyError {
  const reason = cause instanceof Error ? cause.message : 'the reason is not known';
  return new MasterKeyError(
    `The keychain of this account cannot be used: ${reason}. On Linux it needs a Secret Service (GNOME Keyring, KWallet) that is running and unlocked for the account that starts the server.`,
    { cause },
  );
}

/** A lock whose key is an entry of the keychain; each file has its own, named by the id in it. */
export function createKeychainLock(keychain: Keychain, randomBytes: (size: number) => Uint8Array): KeyLock {
  async function lock(masterKey: Uint8Array): Promise<string> {
    const keyId = Buffer.from(randomBytes(ID_BYTES)).toString('hex');
    const key = Buffer.from(randomBytes(KEY_BYTES));
    await keychain.write(entryName(keyId), key.toString('base64url')).catch((cause: unknown) => {
      throw unusable(cause);
    });
    const secret = new Secret(Buffer.from(masterKey).toString('base64url'));
    return sealWith({ format: 'tgv2', keyId, key }, secret, CONTEXT, randomBytes);
  }

  async function unlock(body: string): Promise<Buffer> {
    const sealed = parseSealed(body);
    if (sealed === null)
      throw new MasterKeyError('The file of the master key is damaged. Restore it from your backup.');
    const name = entryName(sealed.keyId);
    const value = await keychain.read(name).catch((cause: unknown) => {
      throw unusable(cause);
    });
    if (value === null) {
      throw new MasterKeyError(
        `The keychain of this account has no entry "${name}" of the service "${SERVICE}", which locks the master key. Restore the entry, or give the master key itself as TALLYGATE_MASTER_KEY.`,
      );
    }
    try {
      return Buffer.from(openWith(Buffer.from(value, 'base64url'), sealed, CONTEXT).reveal(), 'base64url');
    } catch (cause) {
      throw new MasterKeyError(
        `The entry "${name}" of the keychain does not open the file of the master key: one of the two was changed. Restore it from your backup.`,
        { cause },
      );
    }
  }

  return { kind: 'keychain', name: 'the keychain of this account', lock, unlock };
}

const entryName = (keyId: string): string => `master key ${keyId}`;
