/** How long a stretch must be to tell anything: several turns of the system's scheduler. */
const STRETCH_MS = 100;
/** More of a stretch than this in line for a core, and it is the core that work waits for. */
const STARVED_SHARE = 0.5;

export interface StarvationOptions {
  nowMs(): number;
  /** How long this thread has been in line for a core so far; null where the system does not tell. */
  waitedMs(): number | null;
}

/** Tells whether a thread gets on slowly for want of a core, and not because what it waits for is slow. */
export class StarvationWatch {
  readonly #options: StarvationOptions;
  #sinceMs: number;
  #waitedMs: number;
  #starved = false;

  constructor(options: StarvationOptions) {
    this.#options = options;
    this.#sinceMs = options.nowMs();
    this.#waitedMs = options.waitedMs() ?? 0;
  }

  /**
   * Looks again, at most ten times a second.
   * @returns the answer when it is another than before, null otherwise
   */
  changed(): boolean | null {
    const nowMs = this.#options.nowMs();
    const stretchMs = nowMs - this.#sinceMs;
    if (stretchMs < STRETCH_MS) return null;
    const waitedMs = this.#options.waitedMs() ?? 0;
    const starved = waitedMs - this.#waitedMs > stretchMs * STARVED_SHARE;
    this.#sinceMs = nowMs;
    this.#waitedMs = waitedMs;
    if (starved === this.#starved) return null;
    this.#starved = starved;
    return starved;
  }
}
