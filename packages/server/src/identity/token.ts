import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Secret } from '../kernel/secret.ts';

/** Source of unpredictable bytes; injected so that tests own it. */
export type RandomBytes = (size: number) => Uint8Array;

/** 256 bits: nothing of this size is guessed (TW-05). */
export const TOKEN_BYTES = 32;
/** Characters of an API key that are kept readable. */
const KEY_PREFIX_CHARS = 10;

/** A fresh 256-bit value as base64url text. */
export function randomToken(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(TOKEN_BYTES)).toString('base64url');
}

/** SHA-256 as lower-case hex: the form in which random tokens are stored. They need no slow hash. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** HMAC-SHA-256 as lower-case hex. */
export function hmacHex(key: string, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('hex');
}

/** Compares two stored or computed hashes in constant time (CW-07). */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'latin1');
  const right = Buffer.from(b, 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A new API key: `key` is shown once, `hash` and `prefix` are stored. */
export function createApiKey(randomBytes: RandomBytes): { key: Secret; prefix: string; hash: string } {
  const key = `tg_${randomToken(randomBytes)}`;
  return { key: new Secret(key), prefix: key.slice(0, KEY_PREFIX_CHARS), hash: sha256Hex(key) };
}

/**
 * The CSRF token of a session (TW-15). Derived from the cookie's value, so that every tab of the session holds the
 * same one and nobody without the cookie can make it.
 */
export function csrfTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('tallygate csrf 1').digest('base64url');
}
