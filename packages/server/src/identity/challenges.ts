import type { Clock } from '../kernel/clock.ts';
import { type RandomBytes, randomToken } from './token.ts';

/** Random values that somebody has to sign, each good once and for one purpose. */
export interface Challenges {
  issue(purpose: string): string;
  /** True when it was issued for this purpose not long ago; it is used up then. */
  take(challenge: string, purpose: string): boolean;
}

/** Long enough to find a phone or a key. */
const LIFETIME_MS = 5 * 60_000;
/** The oldest leave first; an entry is ~200 bytes. */
const MAX_WAITING = 10_000;

/** Challenges in this process's memory, bounded. */
export function createChallenges(parts: { clock: Clock; randomBytes: RandomBytes }): Challenges {
  const waiting = new Map<string, { purpose: string; expiresAtMs: number }>();

  function dropOld(nowMs: number): void {
    for (const [challenge, { expiresAtMs }] of waiting) {
      // All live equally long, so the first that is young ends the search.
      if (expiresAtMs > nowMs && waiting.size < MAX_WAITING) return;
      waiting.delete(challenge);
    }
  }

  return {
    issue(purpose) {
      const nowMs = parts.clock.now();
      dropOld(nowMs);
      const challenge = randomToken(parts.randomBytes);
      waiting.set(challenge, { purpose, expiresAtMs: nowMs + LIFETIME_MS });
      return challenge;
    },
    take(challenge, purpose) {
      const known = waiting.get(challenge);
      if (known === undefined || known.purpose !== purpose) return false;
      waiting.delete(challenge);
      return known.expiresAtMs > parts.clock.now();
    },
  };
}
