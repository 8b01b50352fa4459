import { randomBytes as cryptoRandomBytes, hkdfSync } from 'node:crypto';
import type { Secret } from '../kernel/secret.ts';
import { openWith, parseSealed, sealWith } from './sealer.ts';
import type { SealContext, Vault } from './vault.ts';

/** Bytes of a master key. */
export const MASTER_KEY_BYTES = 32;

/** A vault that one master key opens; its id says which one, without telling anything about it. */
export type MasterVault = Vault & { readonly keyId: string };

function derive(masterKey: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), `tallygate vault 1 ${purpose}`, bytes));
}

/**
 * A vault over one master key. The key that encrypts and the id that names it are derived from it (HKDF), so the
 * id in the text says which master key is needed without telling anything about it. It wraps data keys, and opens
 * what was sealed before there were any.
 * @param masterKey exactly 32 bytes
 * @throws RangeError when the key has another length
 */
export function createVault(
  masterKey: Uint8Array,
  randomBytes: (size: number) => Uint8Array = cryptoRandomBytes,
): MasterVault {
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new RangeError(`a master key has ${MASTER_KEY_BYTES} bytes, not ${masterKey.length}`);
  }
  const key = derive(masterKey, 'encryption', 32);
  const keyId = derive(masterKey, 'key id', 8).toString('hex');
  return {
    keyId,
    seal: (secret: Secret, context: SealContext): string =>
      sealWith({ format: 'tgv1', keyId, key }, secret, context, randomBytes),
    open(sealed: string, context: SealContext): Secret {
      const parsed = parseSealed(sealed);
      if (parsed?.format !== 'tgv1') throw new Error('not a sealed value');
      if (parsed.keyId !== keyId) {
        throw new Error(`the value was sealed with master key ${parsed.keyId}; the key in use is ${keyId}`);
      }
      return openWith(key, parsed, context);
    },
  };
}
