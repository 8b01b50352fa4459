import type { Budget } from './budget.ts';
import { SLIDING_SLICES, slidingMs, type TimeWindow, windowAt } from './budget-window.ts';

/** What one window of a budget has used. */
export interface WindowState extends TimeWindow {
  /** Settled by requests that this budget saw. */
  settled: number;
  /** Spent by requests that started before this budget watched them; read from the ledger. */
  before: number;
  /** Reserved by requests on their way. */
  held: number;
}

/** A request may be judged one length late, and by what started one length before it. */
const KEPT_SLICES = 2 * (SLIDING_SLICES + 1);

/** Spent in a window, whoever counted it. */
export function used(window: WindowState): number {
  return window.settled + window.before;
}

function freshWindow({ startMs, endMs }: TimeWindow): WindowState {
  return { startMs, endMs, settled: 0, before: 0, held: 0 };
}

/** Where an account files requests by when they started. */
export interface AccountWindows {
  /**
   * The window that a request of this start is filed in. A clock that is set back opens no window anew: what is older
   * than the windows at hand counts in the oldest of them.
   */
  at(startedAtMs: number): WindowState;
  /** The window of an instant, for what the ledger says of it; null when it is not kept any more. */
  known(atMs: number): WindowState | null;
  /** Everything that counts for what is filed in a window. */
  standing(window: WindowState): WindowState;
  /** When so much of what counts for a window will have left it; null for never. */
  freeAtMs(window: WindowState, amount: number): number | null;
  /** Starts of the windows that a shared state has to sum for a window, oldest first. */
  startsFor(window: WindowState): number[];
  /** Takes over from a shared state what counts for a window in all. */
  take(window: WindowState, used: number, held: number): void;
}

/** The current window and the one before, which requests may still belong to. */
export class CalendarWindows implements AccountWindows {
  readonly #budget: Budget;
  #current: WindowState;
  #previous: WindowState | null = null;

  constructor(budget: Budget, nowMs: number) {
    this.#budget = budget;
    this.#current = freshWindow(windowAt(nowMs, budget));
  }

  at(startedAtMs: number): WindowState {
    const current = this.#current;
    if (startedAtMs >= current.endMs) {
      this.#previous = current;
      this.#current = freshWindow(windowAt(startedAtMs, this.#budget));
      return this.#current;
    }
    return startedAtMs >= current.startMs || this.#previous === null ? current : this.#previous;
  }

  known(atMs: number): WindowState | null {
    const holds = ({ startMs, endMs }: WindowState): boolean => atMs >= startMs && atMs < endMs;
    if (holds(this.#current)) return this.#current;
    return this.#previous !== null && holds(this.#previous) ? this.#previous : null;
  }

  standing(window: WindowState): WindowState {
    return window;
  }

  freeAtMs({ endMs }: WindowState): number | null {
    return Number.isFinite(endMs) ? endMs : null;
  }

  startsFor({ startMs }: WindowState): number[] {
    return [startMs];
  }

  take(window: WindowState, usedNow: number, held: number): void {
    window.before = 0;
    window.settled = usedNow;
    window.held = held;
  }
}

/**
 * Slices that leave whole, so that an amount counts for the length of the window and up to a slice longer, never
 * shorter: in no stretch of time as long as the window have requests started that came to more than the limit. A request
 * is judged by all that is known to have started since one length before it, also by what started up to one after it:
 * with nothing else can it be together in such a stretch. So a clock that was ahead for a while forgets nothing.
 */
export class SlidingWindows implements AccountWindows {
  readonly #lengthMs: number;
  readonly #sliceMs: number;
  /** Oldest first; only those that were asked for. */
  readonly #slices: WindowState[] = [];

  constructor(budget: Budget) {
    this.#lengthMs = slidingMs(budget);
    this.#sliceMs = this.#lengthMs / SLIDING_SLICES;
  }

  at(startedAtMs: number): WindowState {
    return this.#slice(this.#startOf(startedAtMs)) ?? this.#oldest(startedAtMs);
  }

  known(atMs: number): WindowState | null {
    return this.#slice(this.#startOf(atMs));
  }

  #startOf(atMs: number): number {
    return Math.floor(atMs / this.#sliceMs) * this.#sliceMs;
  }

  /** Null for one older than all that are kept. */
  #slice(startMs: number): WindowState | null {
    let place = this.#slices.length;
    for (; place > 0; place -= 1) {
      const slice = this.#slices[place - 1];
      if (slice === undefined || slice.startMs < startMs) break;
      if (slice.startMs === startMs) return slice;
    }
    if (place === 0 && this.#slices.length === KEPT_SLICES) return null;
    const made = freshWindow({ startMs, endMs: startMs + this.#sliceMs });
    this.#slices.splice(place, 0, made);
    if (this.#slices.length > KEPT_SLICES) this.#slices.shift();
    return made;
  }

  #oldest(atMs: number): WindowState {
    const startMs = this.#startOf(atMs);
    return this.#slices[0] ?? freshWindow({ startMs, endMs: startMs + this.#sliceMs });
  }

  /** Ends when everything that counts now will have left. */
  standing(window: WindowState): WindowState {
    const sum = freshWindow({ startMs: window.startMs - this.#lengthMs, endMs: window.endMs });
    for (const slice of this.#slices) {
      if (slice.startMs < sum.startMs || slice.startMs > window.startMs + this.#lengthMs) continue;
      sum.settled += slice.settled;
      sum.before += slice.before;
      sum.held += slice.held;
      if (used(slice) + slice.held > 0) sum.endMs = slice.endMs + this.#lengthMs;
    }
    return sum;
  }

  freeAtMs(window: WindowState, amount: number): number | null {
    const fromMs = window.startMs - this.#lengthMs;
    let left = amount;
    let atMs: number | null = null;
    for (const slice of this.#slices) {
      if (slice.startMs < fromMs || slice.startMs > window.startMs + this.#lengthMs) continue;
      if (used(slice) === 0) continue;
      left -= used(slice);
      atMs = slice.endMs + this.#lengthMs;
      if (left <= 0) break;
    }
    return atMs;
  }

  /** One more than this process has seen: the clocks of others may be ahead, by less than a slice. */
  startsFor({ startMs }: WindowState): number[] {
    const newestMs = Math.max(startMs, this.#slices.at(-1)?.startMs ?? startMs);
    const later = Math.min(Math.round((newestMs - startMs) / this.#sliceMs) + 1, SLIDING_SLICES);
    const count = SLIDING_SLICES + 1 + later;
    return Array.from({ length: count }, (_, i) => startMs - this.#lengthMs + i * this.#sliceMs);
  }

  /** Which slice has how much of it the shared state knows; here all is put into the one at hand. */
  take(window: WindowState, usedNow: number, held: number): void {
    for (const slice of this.#slices) if (slice !== window) clear(slice);
    window.before = 0;
    window.settled = usedNow;
    window.held = held;
  }
}

function clear(window: WindowState): void {
  window.before = 0;
  window.settled = 0;
  window.held = 0;
}
