import { hashText } from './sticky-table.ts';

const SLOTS = 16_384;
/** How long a provider keeps a prompt cache after it was last used, unless it was asked to keep it longer. */
const SHORT_MS = 5 * 60_000;
const LONG_MS = 60 * 60_000;

/** What an answer says about the prompt cache. */
export interface CacheUse {
  /** Read from the cache, or written to it: what is there from now on. */
  cachedTokens: number;
  /** Input that did not come from the cache. */
  freshTokens: number;
  /** Written to stay for an hour. */
  longLived: boolean;
}

/**
 * Remembers where the prompt cache of a session is, and how large, so that moving it to another account can be told in
 * tokens. Numbers only and a fixed number of places, like `StickyTable`: two sessions that meet in one place lose a
 * measurement and nothing else.
 */
export class CacheMemory {
  readonly #keys = new Uint32Array(SLOTS);
  readonly #accounts = new Uint32Array(SLOTS);
  readonly #tokens = new Uint32Array(SLOTS);
  readonly #untilMs = new Float64Array(SLOTS);

  /**
   * Takes in an answer.
   * @returns tokens that a warm cache on another account would have served; 0 when the session did not move
   */
  answered(
    session: { affinity: string; model: string },
    accountNumber: number,
    use: CacheUse,
    nowMs: number,
  ): number {
    const key = hashText(session.affinity, hashText(session.model));
    const slot = key % SLOTS;
    const warm = this.#keys[slot] === key && (this.#untilMs[slot] ?? 0) > nowMs;
    if (!warm && use.cachedTokens === 0) return 0;
    const moved = warm && this.#accounts[slot] !== accountNumber;
    const lost = moved ? Math.min(this.#tokens[slot] ?? 0, use.freshTokens) : 0;
    this.#keys[slot] = key;
    this.#accounts[slot] = accountNumber;
    this.#tokens[slot] = use.cachedTokens;
    this.#untilMs[slot] = nowMs + (use.longLived ? LONG_MS : SHORT_MS);
    return lost;
  }
}
