import { Secret } from '../kernel/secret.ts';
import { type RandomBytes, randomToken, sameHash, sha256Hex } from './token.ts';

/**
 * The one-time code that the terminal prints while nobody owns the installation (WT-11). Only its hash is kept,
 * in memory: a restart makes a new one.
 */
export interface SetupCode {
  /** Makes the code of this start; the text leaves here once. */
  issue(): Secret;
  /** True while a code is waiting to be used. */
  readonly pending: boolean;
  /**
   * Takes the code: of two callers with the right one only the first gets true.
   * `release` puts it back when the set-up failed after all, `finish` ends it for good.
   */
  take(code: string): boolean;
  release(): void;
  finish(): void;
}

/** A holder without a code; `issue()` makes one. */
export function createSetupCode(randomBytes: RandomBytes): SetupCode {
  let hash: string | null = null;
  let taken = false;
  return {
    issue() {
      const code = randomToken(randomBytes);
      hash = sha256Hex(code);
      taken = false;
      return new Secret(code);
    },
    get pending() {
      return hash !== null;
    },
    take(code) {
      if (hash === null || taken || !sameHash(sha256Hex(code), hash)) return false;
      taken = true;
      return true;
    },
    release() {
      taken = false;
    },
    finish() {
      hash = null;
    },
  };
}
