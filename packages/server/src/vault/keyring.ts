import { Secret } from '../kernel/secret.ts';
import type { MasterVault } from './aes-vault.ts';
import { openWith, parseSealed, sealWith } from './sealer.ts';
import type { SealContext, Vault } from './vault.ts';

/** A data key as it is stored: wrapped by one master key. */
export interface WrappedDataKey {
  id: string;
  masterKeyId: string;
  wrapped: string;
  createdAtMs: number;
}

export interface DataKey {
  id: string;
  key: Buffer;
  createdAtMs: number;
}

const DATA_KEY_BYTES = 32;
const ID_BYTES = 8;

const wrapContext = (id: string): SealContext => ({ table: 'vault_data_key', row: id, column: 'wrapped' });

/** A new data key, newer than every other one, whatever the clock says. */
export function createDataKey(
  randomBytes: (size: number) => Uint8Array,
  at: { nowMs: number; newestMs: number },
): DataKey {
  return {
    id: Buffer.from(randomBytes(ID_BYTES)).toString('hex'),
    key: Buffer.from(randomBytes(DATA_KEY_BYTES)),
    createdAtMs: Math.max(at.nowMs, at.newestMs + 1),
  };
}

/** Wraps a data key with a master key. */
export function wrapDataKey(master: MasterVault, dataKey: DataKey): WrappedDataKey {
  const wrapped = master.seal(new Secret(dataKey.key.toString('base64url')), wrapContext(dataKey.id));
  return { id: dataKey.id, masterKeyId: master.keyId, wrapped, createdAtMs: dataKey.createdAtMs };
}

/** @throws Error when the master key is another one or the text was changed */
export function unwrapDataKey(master: MasterVault, row: WrappedDataKey): DataKey {
  const key = Buffer.from(master.open(row.wrapped, wrapContext(row.id)).reveal(), 'base64url');
  if (key.length !== DATA_KEY_BYTES) throw new Error(`the data key ${row.id} has a wrong length`);
  return { id: row.id, key, createdAtMs: row.createdAtMs };
}

/**
 * The vault of a running server: seals with the newest data key and opens with every one it knows, so that keys
 * can be added while values are re-encrypted and nothing is unreadable at any moment. What was sealed with the
 * master key itself, before there were data keys, opens as well.
 */
export class Keyring implements Vault {
  readonly #randomBytes: (size: number) => Uint8Array;
  readonly #keys = new Map<string, DataKey>();
  #master: MasterVault;
  #active: DataKey;

  constructor(
    master: MasterVault,
    keys: readonly [DataKey, ...DataKey[]],
    randomBytes: (size: number) => Uint8Array,
  ) {
    this.#master = master;
    this.#randomBytes = randomBytes;
    this.#active = keys[0];
    for (const key of keys) this.add(key);
  }

  get masterKeyId(): string {
    return this.#master.keyId;
  }
  get activeKeyId(): string {
    return this.#active.id;
  }
  /** Oldest first. */
  keys(): DataKey[] {
    return [...this.#keys.values()].sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /** From now on known, and used for sealing when it is the newest. */
  add(key: DataKey): void {
    this.#keys.set(key.id, key);
    if (key.createdAtMs >= this.#active.createdAtMs) this.#active = key;
  }

  /** @throws Error when another master key wrapped it or the text was changed */
  unwrap(row: WrappedDataKey): DataKey {
    return unwrapDataKey(this.#master, row);
  }

  /** Data keys stay what they are; only what wraps them changes. */
  replaceMaster(master: MasterVault): void {
    this.#master = master;
  }

  /** True when the text is sealed with the key that seals now. */
  isCurrent(text: string): boolean {
    const parsed = parseSealed(text);
    return parsed?.format === 'tgv2' && parsed.keyId === this.#active.id;
  }

  seal(secret: Secret, context: SealContext): string {
    const { id: keyId, key } = this.#active;
    return sealWith({ format: 'tgv2', keyId, key }, secret, context, this.#randomBytes);
  }

  open(sealed: string, context: SealContext): Secret {
    const parsed = parseSealed(sealed);
    if (parsed === null) throw new Error('not a sealed value');
    if (parsed.format === 'tgv1') return this.#master.open(sealed, context);
    const dataKey = this.#keys.get(parsed.keyId);
    if (dataKey === undefined)
      throw new Error(`the value was sealed with data key ${parsed.keyId}, which is not here`);
    return openWith(dataKey.key, parsed, context);
  }
}
