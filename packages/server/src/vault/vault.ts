import type { Secret } from '../kernel/secret.ts';

/** Where a sealed value lives; bound into the ciphertext, so that a value moved to another row does not open. */
export interface SealContext {
  table: string;
  row: string;
  column: string;
}

export interface Vault {
  /** AES-256-GCM, fresh random nonce, the context as associated data. The text form carries the key id. */
  seal(secret: Secret, context: SealContext): string;
  /** @throws Error when the key id is unknown, the context differs or the text was changed. */
  open(sealed: string, context: SealContext): Secret;
}
