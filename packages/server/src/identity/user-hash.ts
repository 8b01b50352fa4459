import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

/** Begins every stored id that is a hash; a client's own id with these letters is hashed like any other. */
const PREFIX = 'h1:';
/** 128 bits: two ids never meet, and a row stays small. */
const HASH_BYTES = 16;
const KEY_BYTES = 32;
/** Bytes of the random value that the key comes from. */
export const USER_HASH_ROOT_BYTES = 32;

/** How ids of users and sessions are stored, while the setting asks for it (TW-12). */
export interface UserHash {
  /** What is stored for an id that a client sent. */
  stored(id: string): string;
  /** What to look for: an id as the client sends it, or as it was listed. */
  sought(id: string): string;
}

/** The same id has the same hash, and without the value nobody can tell which id it was by trying. */
export function createUserHash(root: Uint8Array): UserHash {
  const bytes = Buffer.from(hkdfSync('sha256', root, '', 'tallygate user ids 1', KEY_BYTES));
  const key = createSecretKey(bytes); // bytes would be made into one at every call, which costs more than the hash
  const stored = (id: string): string =>
    PREFIX + createHmac('sha256', key).update(id).digest().subarray(0, HASH_BYTES).toString('base64url');
  return { stored, sought: (id) => (id.startsWith(PREFIX) ? id : stored(id)) };
}
