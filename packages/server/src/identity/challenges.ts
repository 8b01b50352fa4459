import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import type { PasskeyStore } from '../store/ports/passkeys.ts';
import { sha256Hex } from './token.ts';

/**
 * Values that somebody has to sign, each good once, for one purpose and for minutes. They say all of that themselves,
 * sealed, so that every node of several knows those of the others, and whoever asks for thousands fills no memory and
 * pushes out nobody. Only what was answered rightly is written down.
 */
export interface Challenges {
  issue(purpose: string): string;
  /** True when it was issued for this purpose not long ago, by whichever node. */
  isOurs(challenge: string, purpose: string): boolean;
  /** Uses it up. @throws AppError `passkey_invalid` when it was before */
  spend(challenge: string): Promise<void>;
}

/** Seals what a challenge says of itself, bound to its purpose. */
export interface ChallengeBox {
  seal(secret: Secret, purpose: string): string;
  /** @throws Error when it is none of ours, or for something else */
  open(sealed: string, purpose: string): Secret;
}

export interface ChallengeParts {
  store: { passkeys: Pick<PasskeyStore, 'spendChallenge'> };
  clock: Clock;
  box: ChallengeBox;
}

/** Long enough to find a phone or a key. */
const LIFETIME_MS = 5 * 60_000;

export function createChallenges({ store, clock, box }: ChallengeParts): Challenges {
  function expiryOf(challenge: string, purpose: string): number {
    try {
      return Number(box.open(Buffer.from(challenge, 'base64url').toString('utf8'), purpose).reveal());
    } catch {
      return 0;
    }
  }
  return {
    // Each sealing has a random nonce of its own, which makes each challenge another one.
    issue: (purpose) =>
      Buffer.from(box.seal(new Secret(String(clock.now() + LIFETIME_MS)), purpose)).toString('base64url'),
    isOurs: (challenge, purpose) => expiryOf(challenge, purpose) > clock.now(),
    async spend(challenge) {
      const nowMs = clock.now();
      const at = { nowMs, expiresAtMs: nowMs + LIFETIME_MS };
      if (!(await store.passkeys.spendChallenge(sha256Hex(challenge), at)))
        throw new AppError('passkey_invalid');
    },
  };
}
