import { hash, verify } from '@node-rs/argon2';
import { AppError } from '../kernel/errors.ts';

/** OWASP Password Storage: Argon2id (the package's default algorithm) with 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
/**
 * Hashing runs on libuv's four threads, which DNS and files need as well: a flood of sign-ins may take two of
 * them, and the rest of it waits in a queue of this length.
 */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;

/** In the place of a hash: no password belongs to it. */
export const NO_PASSWORD = '';

export interface PasswordHasher {
  /** PHC string of Argon2id with a fresh salt. @throws AppError `login_throttled` when too many are waiting */
  hash(password: string): Promise<string>;
  /**
   * True when the password belongs to the hash. `null` (no such user) and `NO_PASSWORD` do the same work and are false, so that
   * timing does not tell which names exist. @throws AppError `login_throttled` when too many are waiting
   */
  verify(stored: string | null, password: string): Promise<boolean>;
}

function createGate(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= MAX_RUNNING) {
      if (waiting.length >= MAX_WAITING) throw new AppError('login_throttled', { retryAfterSeconds: 1 });
      await new Promise<void>((resolve) => waiting.push(resolve)); // the slot is handed over, `running` stays
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** Argon2id off the event loop. */
export function createPasswordHasher(): PasswordHasher {
  const gate = createGate();
  /** Made by the same parameters as every real one; nothing is known to verify against it. */
  let decoy: Promise<string> | null = null;
  return {
    hash: (password) => gate(() => hash(password, PARAMETERS)),
    verify: (stored, password) =>
      gate(async () => {
        decoy ??= hash('nobody has this password', PARAMETERS);
        const nobody = await decoy; // for known names too, or the first unknown one would take longer
        const known = stored === NO_PASSWORD ? null : stored;
        const matches = await verify(known ?? nobody, password).catch(() => false);
        return matches && known !== null;
      }),
  };
}
