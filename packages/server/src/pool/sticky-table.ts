const SLOTS = 16_384;

/**
 * Remembers for a while which account a session went to, in a fixed number of places: two sessions that meet in one
 * place make the earlier one choose anew, which costs it a prompt cache and nothing else. Numbers only, so that a
 * million sessions leave no garbage behind (see `kernel/live-list.ts`).
 */
export class StickyTable {
  readonly #keys = new Uint32Array(SLOTS);
  readonly #accounts = new Uint32Array(SLOTS);
  readonly #untilMs = new Float64Array(SLOTS);

  /** Number of the session's account, 0 when none is remembered. */
  find(key: number, nowMs: number): number {
    const slot = key % SLOTS;
    if (this.#keys[slot] !== key || (this.#untilMs[slot] ?? 0) <= nowMs) return 0;
    return this.#accounts[slot] ?? 0;
  }

  /** Remembers the account; `untilMs` holds from now on, or from before when the session only changes its account. */
  set(key: number, account: number, untilMs: number): void {
    const slot = key % SLOTS;
    this.#keys[slot] = key;
    this.#accounts[slot] = account;
    this.#untilMs[slot] = untilMs;
  }

  /** When the session's memory ends; 0 when nothing is remembered. */
  endOf(key: number, nowMs: number): number {
    return this.find(key, nowMs) === 0 ? 0 : (this.#untilMs[key % SLOTS] ?? 0);
  }
}

/** FNV-1a over UTF-16 units: spreads well enough to place a session, and is no secret. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Stirs two numbers into one; for rendezvous hashing, where neighbours must not look alike. */
export function mix(a: number, b: number): number {
  let x = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
