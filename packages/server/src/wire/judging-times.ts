import type { After } from '../jobs/job.ts';
import type { Clock } from '../kernel/clock.ts';

/** After a commit the rules wait this long for more of them, so that heavy traffic is not judged row by row. */
const AFTER_COMMIT_MS = 2_000;
/** What happens to accounts comes in twos and threes: a refusal, the renewal that fails. */
const AFTER_TURN_MS = 250;
/** An account that turns again and again is not judged more often than this. */
const BETWEEN_TURNS_MS = 500;
/** Judging may take this part of the time at most: with many rules and much traffic it comes round less often. */
const REST_FACTOR = 5;

export interface JudgingTimesDeps {
  clock: Pick<Clock, 'monotonicMs'>;
  after: After;
  /** Judges soon, or says that it cannot. */
  judge(): void;
}

/**
 * When rules are judged between their periods: some time after commits of the ledger, and at once when an account
 * turns. Several causes share one judging.
 */
export class JudgingTimes {
  readonly #deps: JudgingTimesDeps;
  #waiting: { atMs: number; cancel(): void } | null = null;
  #endedMs = Number.NEGATIVE_INFINITY;
  #restMs = 0;

  constructor(deps: JudgingTimesDeps) {
    this.#deps = deps;
  }

  /** Rows were committed. */
  committed(): void {
    this.#at(this.#deps.clock.monotonicMs() + Math.max(AFTER_COMMIT_MS, this.#restMs));
  }

  /** An account can no longer serve, or can again. */
  turned(): void {
    const soonestMs = this.#deps.clock.monotonicMs() + AFTER_TURN_MS;
    this.#at(Math.max(soonestMs, this.#endedMs + Math.max(BETWEEN_TURNS_MS, this.#restMs)));
  }

  /** Measures a judging, so that the next keeps its distance. */
  async measure<T>(judging: () => Promise<T>): Promise<T> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    try {
      return await judging();
    } finally {
      this.#endedMs = clock.monotonicMs();
      this.#restMs = REST_FACTOR * (this.#endedMs - startedMs);
    }
  }

  stop(): void {
    this.#waiting?.cancel();
    this.#waiting = null;
  }

  #at(atMs: number): void {
    if (this.#waiting !== null && this.#waiting.atMs <= atMs) return;
    this.#waiting?.cancel();
    const { clock, after, judge } = this.#deps;
    const cancel = after(atMs - clock.monotonicMs(), () => {
      this.#waiting = null;
      judge();
    });
    this.#waiting = { atMs, cancel };
  }
}
