import type { Timers } from '../../kernel/timers.ts';

/**
 * A moment that is put off again and again. A timer runs only now and then: when it wakes before the moment it goes back
 * to sleep for the rest, so that putting the moment off costs a comparison and no timer.
 */
export class Deadline {
  readonly #timers: Timers;
  readonly #onReached: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(timers: Timers, onReached: () => void) {
    this.#timers = timers;
    this.#onReached = onReached;
  }

  /** The moment is so long from now. */
  set(afterMs: number): void {
    const nowMs = this.#timers.monotonicMs();
    this.#atMs = nowMs + afterMs;
    if (this.#atMs < this.#wakesAtMs) this.#wakeIn(afterMs, nowMs);
  }

  /** There is no such moment, until another is set. */
  clear(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
  }

  /** There never will be one again. */
  stop(): void {
    this.clear();
    this.#cancel?.();
    this.#cancel = null;
  }

  #wakeIn(ms: number, nowMs: number): void {
    this.#cancel?.();
    this.#wakesAtMs = nowMs + ms;
    this.#cancel = this.#timers.after(Math.ceil(ms), this.#wake);
  }

  #wake = (): void => {
    this.#cancel = null;
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    if (this.#atMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#timers.monotonicMs();
    if (this.#atMs > nowMs) return this.#wakeIn(this.#atMs - nowMs, nowMs);
    this.clear();
    this.#onReached();
  };
}
