/** The circuit opens when this many attempts in a row failed, over more than one account. */
const OPEN_AFTER_FAILURES = 5;
const FIRST_OPEN_MS = 2_000;
const MAX_OPEN_MS = 30_000;

/**
 * How the accounts of one upstream fare together. When several of them fail without one success between, the upstream
 * itself is taken to be down: calls that another upstream can serve go there, without trying account after account.
 * Where there is nothing else its accounts are tried all the same.
 */
export class UpstreamState {
  #failures = 0;
  #lastFailed = 0;
  #several = false;
  restUntilMs = 0;

  failed(accountNumber: number, nowMs: number): void {
    if (this.#failures > 0 && accountNumber !== this.#lastFailed) this.#several = true;
    this.#failures += 1;
    this.#lastFailed = accountNumber;
    const beyond = this.#failures - OPEN_AFTER_FAILURES;
    if (this.#several && beyond >= 0)
      this.restUntilMs = nowMs + Math.min(FIRST_OPEN_MS * 2 ** beyond, MAX_OPEN_MS);
  }

  served(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#several = false;
    this.restUntilMs = 0;
  }
}

/** The states of all upstreams, by origin. */
export class UpstreamStates {
  readonly #byOrigin = new Map<string, UpstreamState>();

  of(origin: string): UpstreamState {
    let state = this.#byOrigin.get(origin);
    if (state === undefined) {
      state = new UpstreamState();
      this.#byOrigin.set(origin, state);
    }
    return state;
  }

  /** Drops the states of upstreams that no account points at. */
  keepOnly(origins: ReadonlySet<string>): void {
    for (const origin of this.#byOrigin.keys()) if (!origins.has(origin)) this.#byOrigin.delete(origin);
  }
}
