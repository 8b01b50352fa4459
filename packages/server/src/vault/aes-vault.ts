import { createCipheriv, createDecipheriv, randomBytes as cryptoRandomBytes, hkdfSync } from 'node:crypto';
import { Secret } from '../kernel/secret.ts';
import type { SealContext, Vault } from './vault.ts';

/** Bytes of a master key. */
export const MASTER_KEY_BYTES = 32;
const NONCE_BYTES = 12; // NIST SP 800-38D §8.2.2: 96-bit random nonces
const TAG_BYTES = 16;
const FORMAT = 'tgv1';
/** 2³² random nonces under one key is NIST's bound; a credential is far smaller than this. */
const MAX_PLAINTEXT_BYTES = 1024 * 1024;

/** Binds the three parts unambiguously: without the lengths `("a", "bc")` and `("ab", "c")` would be the same bytes. */
function associatedData(context: SealContext): Buffer {
  const parts: Buffer[] = [Buffer.from(FORMAT)];
  for (const part of [context.table, context.row, context.column]) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

function derive(masterKey: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), `tallygate vault 1 ${purpose}`, bytes));
}

function parse(sealed: string): { keyId: string; bytes: Buffer } {
  const match = /^tgv1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/.exec(sealed);
  const bytes = Buffer.from(match?.[2] ?? '', 'base64url');
  if (!match?.[1] || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('not a sealed value');
  return { keyId: match[1], bytes };
}

/**
 * A vault over one master key. The key that encrypts and the id that names it are derived from it (HKDF), so the
 * id in the text says which master key is needed without telling anything about it.
 * @param masterKey exactly 32 bytes
 * @throws RangeError when the key has another length
 */
export function createVault(
  masterKey: Uint8Array,
  randomBytes: (size: number) => Uint8Array = cryptoRandomBytes,
): Vault & { readonly keyId: string } {
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new RangeError(`a master key has ${MASTER_KEY_BYTES} bytes, not ${masterKey.length}`);
  }
  const key = derive(masterKey, 'encryption', 32);
  const keyId = derive(masterKey, 'key id', 8).toString('hex');
  return {
    keyId,
    seal(secret: Secret, context: SealContext): string {
      const plain = Buffer.from(secret.reveal(), 'utf8');
      if (plain.length > MAX_PLAINTEXT_BYTES) throw new RangeError('the value to seal is too large');
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associatedData(context));
      const body = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      plain.fill(0);
      return `${FORMAT}.${keyId}.${body.toString('base64url')}`;
    },
    open(sealed: string, context: SealContext): Secret {
      const { keyId: sealedWith, bytes } = parse(sealed);
      if (sealedWith !== keyId) {
        throw new Error(`the value was sealed with master key ${sealedWith}; the key in use is ${keyId}`);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(associatedData(context));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      try {
        const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
        return new Secret(Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8'));
      } catch (cause) {
        throw new Error('the sealed value was changed or belongs to another row', { cause });
      }
    },
  };
}
