import { AppError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { createVault, type MasterVault } from './aes-vault.ts';
import type { KeyLock } from './key-lock.ts';
import { createDataKey, type Keyring, wrapDataKey } from './keyring.ts';
import { loadMasterKey, type MasterKey } from './master-key.ts';
import { asKeyProblem, nextKeyPath, publishNextKey } from './master-key-files.ts';
import { type KeyringParts, learnDataKeys, NEXT_MASTER_SETTING } from './open-keyring.ts';
import { type ResealProgress, resealAll } from './reseal.ts';
import { parseSealed } from './sealer.ts';

export interface VaultStatus {
  masterKey: { id: string; source: 'environment' | 'file' | KeyLock['kind'] };
  /** A rotation of the master key is under way to this one. */
  nextMasterKeyId: string | null;
  dataKeys: { id: string; createdAtMs: number; active: boolean; values: number }[];
  /** Values sealed before there were data keys, or not at all. */
  otherValues: number;
  job: (ResealProgress & { kind: 'data-key' | 'master-key' }) | null;
}

/** What a rotation of the master key came to. */
export interface MasterRotation {
  keyId: string;
  previousKeyId: string;
  /** Where the previous key is now; null when keys come from the environment. */
  previousKeyFile: string | null;
  /** True when the server has to be started with the new key to finish. */
  restartNeeded: boolean;
}

/** Looks after the keys of the vault while the server runs. One rotation at a time. */
export interface VaultKeeper {
  status(): Promise<VaultStatus>;
  /** Makes a new data key and seals every value with it. @throws AppError `conflict` */
  rotateDataKey(): Promise<{ keyId: string; resealed: number }>;
  /**
   * Wraps the data keys with another master key. Where the key is a file a new one is made; where it comes from
   * the environment `newKey` says what it will be.
   * @throws AppError `conflict` or `invalid_request`
   */
  rotateMasterKey(newKey: Secret | null): Promise<MasterRotation>;
  /**
   * Takes back a change of the master key that waits for its start with the new one: that key opens nothing any more.
   * @throws AppError `conflict` when none waits, or where the key is a file and a change is finished by starting it again
   */
  giveUpMasterRotation(): Promise<{ keyId: string }>;
  /** Learns the data keys that another node made: from then on they open here, and the newest one seals. */
  follow(): Promise<void>;
}

export interface KeeperParts extends Omit<KeyringParts, 'nowMs'> {
  keyring: Keyring;
  source: MasterKey['source'];
  clock: { now(): number };
  /** Waits until the other nodes have learnt what is in the store now; left out where there are none. */
  untilKnown?: () => Promise<void>;
}

class Keeper implements VaultKeeper {
  readonly #parts: KeeperParts;
  #job: VaultStatus['job'] = null;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  async status(): Promise<VaultStatus> {
    const { keyring, storage, source } = this.#parts;
    const counts = new Map<string, number>();
    for (const { text } of await storage.listSealed()) {
      const sealed = parseSealed(text);
      const id = sealed?.format === 'tgv2' ? sealed.keyId : '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return {
      masterKey: {
        id: keyring.masterKeyId,
        source: source === 'environment' ? 'environment' : (this.#parts.lock?.kind ?? 'file'),
      },
      nextMasterKeyId: await this.#nextMasterKeyId(),
      dataKeys: keyring.keys().map(({ id, createdAtMs }) => ({
        id,
        createdAtMs,
        active: id === keyring.activeKeyId,
        values: counts.get(id) ?? 0,
      })),
      otherValues: counts.get('') ?? 0,
      job: this.#job,
    };
  }

  async #nextMasterKeyId(): Promise<string | null> {
    const next = await this.#parts.settings.getSetting(NEXT_MASTER_SETTING);
    return next === null || next === '' ? null : next;
  }

  async #alone<T>(kind: NonNullable<VaultStatus['job']>['kind'], work: () => Promise<T>): Promise<T> {
    if (this.#job !== null) {
      throw new AppError('conflict', {
        detail: 'A rotation is running already. Wait until it has finished.',
      });
    }
    this.#job = { kind, done: 0, total: 0 };
    try {
      return await work();
    } catch (error) {
      throw asKeyProblem(error);
    } finally {
      this.#job = null;
    }
  }

  async #reseal(): Promise<number> {
    const { keyring, storage } = this.#parts;
    const { resealed, plaintext } = await resealAll(keyring, storage, (progress) => {
      if (this.#job !== null) this.#job = { ...this.#job, ...progress };
    });
    return resealed + plaintext;
  }

  rotateDataKey(): Promise<{ keyId: string; resealed: number }> {
    const { keyring, storage, clock, randomBytes } = this.#parts;
    return this.#alone('data-key', async () => {
      const next = await this.#nextMasterKeyId();
      if (next !== null) {
        throw new AppError('conflict', {
          detail: `A rotation to the master key ${next} is not finished: a new data key would not be wrapped by it. Finish it first.`,
        });
      }
      const newestMs = keyring.keys().at(-1)?.createdAtMs ?? 0;
      const fresh = createDataKey(randomBytes, { nowMs: clock.now(), newestMs });
      // In the store before anything is sealed with it: a process that dies now loses nothing.
      await storage.insertDataKeys([wrapDataKey(await this.#master(), fresh)]);
      // Nor does another node, which could not open what it does not know.
      await this.#parts.untilKnown?.();
      keyring.add(fresh);
      return { keyId: fresh.id, resealed: await this.#reseal() };
    });
  }

  async follow(): Promise<void> {
    await learnDataKeys(this.#parts.keyring, this.#parts.storage);
  }

  /** The master key as it is found now: wrapping with one that is no longer there would lose everything. */
  async #master(): Promise<MasterVault> {
    const { path, fromEnvironment, randomBytes, keyring, lock } = this.#parts;
    const needed = [keyring.masterKeyId];
    const loaded = await loadMasterKey({ path, fromEnvironment, randomBytes, needed, lock });
    const master = createVault(loaded.bytes, randomBytes);
    if (master.keyId === keyring.masterKeyId) return master;
    throw new AppError('conflict', {
      detail: `The master key was replaced by another one (${master.keyId}) since the server started. Put ${keyring.masterKeyId} back.`,
    });
  }

  rotateMasterKey(newKey: Secret | null): Promise<MasterRotation> {
    return this.#alone('master-key', async () => {
      const fromFile = this.#parts.source !== 'environment';
      if (fromFile && newKey !== null) {
        throw new AppError('invalid_request', {
          detail: 'The master key is a file here: a new one is made, none can be given.',
        });
      }
      if (!fromFile && newKey === null) {
        throw new AppError('invalid_request', {
          detail:
            'The master key comes from the environment: say what the new one will be, with --new-key-env.',
        });
      }
      const previous = await this.#master();
      await this.#reseal(); // nothing may hang on the old master key itself
      const next = await this.#nextMaster(newKey);
      if (next.keyId === previous.keyId) {
        throw new AppError('invalid_request', { detail: 'The new master key is the present one.' });
      }
      await this.#wrapFor(next);
      return fromFile ? this.#switchFile(previous, next) : this.#waitForRestart(previous, next);
    });
  }

  /** A file that an interrupted rotation left is used again: what it wraps may be in the store already. */
  async #nextMaster(newKey: Secret | null): Promise<MasterVault> {
    const { path, randomBytes, lock } = this.#parts;
    const next = { path: nextKeyPath(path), fromEnvironment: newKey, randomBytes, lock };
    const loaded = await loadMasterKey(next);
    return createVault(loaded.bytes, randomBytes);
  }

  /** From here on both master keys open everything. */
  async #wrapFor(next: MasterVault): Promise<void> {
    const { keyring, storage, settings } = this.#parts;
    const abandoned = await this.#nextMasterKeyId();
    if (abandoned !== null && abandoned !== next.keyId && abandoned !== keyring.masterKeyId) {
      await storage.deleteWrappings([abandoned]);
    }
    await settings.setSetting(NEXT_MASTER_SETTING, next.keyId);
    await storage.insertDataKeys(keyring.keys().map((key) => wrapDataKey(next, key)));
  }

  giveUpMasterRotation(): Promise<{ keyId: string }> {
    return this.#alone('master-key', async () => {
      const { keyring, storage, settings, source } = this.#parts;
      if (source !== 'environment') {
        throw new AppError('conflict', {
          detail:
            'The master key is a file here: a change that was interrupted is finished by starting it again.',
        });
      }
      const next = await this.#nextMasterKeyId();
      if (next === null || next === keyring.masterKeyId) {
        throw new AppError('conflict', { detail: 'No change of the master key is waiting.' });
      }
      const present = await this.#master();
      // A node that starts with the new key at this very moment drops them: without any, nothing would open again.
      await storage.insertDataKeys(keyring.keys().map((key) => wrapDataKey(present, key)));
      await settings.setSetting(NEXT_MASTER_SETTING, '');
      await storage.deleteWrappings([next]);
      return { keyId: next };
    });
  }

  async #switchFile(previous: MasterVault, next: MasterVault): Promise<MasterRotation> {
    const { path, keyring, storage, settings } = this.#parts;
    const previousKeyFile = await publishNextKey(path, previous.keyId);
    keyring.replaceMaster(next);
    await storage.deleteWrappings([previous.keyId]);
    await settings.setSetting(NEXT_MASTER_SETTING, '');
    return { keyId: next.keyId, previousKeyId: previous.keyId, previousKeyFile, restartNeeded: false };
  }

  #waitForRestart(previous: MasterVault, next: MasterVault): MasterRotation {
    return { keyId: next.keyId, previousKeyId: previous.keyId, previousKeyFile: null, restartNeeded: true };
  }
}

/** The keeper of an opened keyring. */
export function createVaultKeeper(parts: KeeperParts): VaultKeeper {
  return new Keeper(parts);
}
