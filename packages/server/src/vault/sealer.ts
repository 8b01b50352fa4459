import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Secret } from '../kernel/secret.ts';
import type { SealContext } from './vault.ts';

const NONCE_BYTES = 12; // NIST SP 800-38D §8.2.2: 96-bit random nonces
const TAG_BYTES = 16;
/** 2³² random nonces under one key is NIST's bound; a credential is far smaller than this. */
const MAX_PLAINTEXT_BYTES = 1024 * 1024;

/** `tgv1`: sealed with a key derived from the master key. `tgv2`: sealed with a data key. */
export type SealFormat = 'tgv1' | 'tgv2';

/** What a sealed text says about itself. */
export interface SealedText {
  format: SealFormat;
  keyId: string;
  bytes: Buffer;
}

/** Null when the text is not a sealed value. */
export function parseSealed(text: string): SealedText | null {
  const match = /^(tgv[12])\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/.exec(text);
  const bytes = Buffer.from(match?.[3] ?? '', 'base64url');
  if (!match?.[1] || !match[2] || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  return { format: match[1] as SealFormat, keyId: match[2], bytes };
}

/** Binds the three parts unambiguously: without the lengths `("a", "bc")` and `("ab", "c")` would be the same bytes. */
function associatedData(format: SealFormat, context: SealContext): Buffer {
  const parts: Buffer[] = [Buffer.from(format)];
  for (const part of [context.table, context.row, context.column]) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

export interface SealKey {
  format: SealFormat;
  keyId: string;
  /** 32 bytes. */
  key: Uint8Array;
}

/** AES-256-GCM with a fresh random nonce and the context as associated data. @throws RangeError for a huge value */
export function sealWith(
  { format, keyId, key }: SealKey,
  secret: Secret,
  context: SealContext,
  randomBytes: (size: number) => Uint8Array,
): string {
  const plain = Buffer.from(secret.reveal(), 'utf8');
  if (plain.length > MAX_PLAINTEXT_BYTES) throw new RangeError('the value to seal is too large');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(format, context));
  const body = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  plain.fill(0);
  return `${format}.${keyId}.${body.toString('base64url')}`;
}

/** @throws Error when the context differs or the text was changed */
export function openWith(key: Uint8Array, { format, bytes }: SealedText, context: SealContext): Secret {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(format, context));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
    return new Secret(Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8'));
  } catch (cause) {
    throw new Error('the sealed value was changed or belongs to another row', { cause });
  }
}
