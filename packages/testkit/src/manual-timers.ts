/** Time that stands still until it is moved, with the timers on it. */
export class ManualTimers {
  ms: number;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(startMs: number) {
    this.ms = startMs;
  }

  /** Monotonic and wall time are the same here, unless `skewMs` sets this clock apart from others. */
  clock(skewMs = 0): { now(): number; monotonicMs(): number } {
    return { now: () => this.ms + skewMs, monotonicMs: () => this.ms };
  }

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.ms + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  };

  get waiting(): number {
    return this.#timers.length;
  }

  /** Moves time on and runs what is due, each at its time; what that begins has ended before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.ms + ms;
    await settled();
    for (;;) {
      const next = this.#timers.reduce<{ atMs: number; run: () => void } | null>(
        (first, one) => (one.atMs <= untilMs && (first === null || one.atMs < first.atMs) ? one : first),
        null,
      );
      if (next === null) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.ms = Math.max(this.ms, next.atMs);
      next.run();
      await settled();
    }
    this.ms = untilMs;
  }

  /** Time passes and nothing runs: what a process sees that was stopped. */
  skip(ms: number): void {
    this.ms += ms;
  }
}

/** Lets everything run that only waits for other promises: a store in the same thread answers within that. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
