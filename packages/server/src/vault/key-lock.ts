/** Locks the file of the master key with a key that is kept elsewhere, so that the file alone opens nothing. */
export interface KeyLock {
  readonly kind: 'keychain' | 'pkcs11';
  /** Completes "locked by …" in messages. */
  readonly name: string;
  /** @throws MasterKeyError when the place the key is kept in cannot be used */
  lock(masterKey: Uint8Array): Promise<string>;
  /** @throws MasterKeyError when the key is not there, is another one, or the text was changed */
  unlock(body: string): Promise<Buffer>;
}

const FORM = /^tallygate master key 1 (keychain|pkcs11)\n([\x21-\x7e ]+)\n$/;
/** A locked key of 32 bytes with a 4096-bit token key comes to about 800. */
export const MAX_LOCKED_BYTES = 16 * 1024;

/** What the file of a locked master key holds. */
export function lockedKeyText(kind: KeyLock['kind'], body: string): string {
  return `tallygate master key 1 ${kind}\n${body}\n`;
}

/** Null when the text is no locked master key. */
export function parseLockedKey(text: string): { kind: KeyLock['kind']; body: string } | null {
  const [, kind, body] = FORM.exec(text) ?? [];
  return kind === undefined || body === undefined ? null : { kind: kind as KeyLock['kind'], body };
}
