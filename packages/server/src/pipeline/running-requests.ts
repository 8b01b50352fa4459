import type { AppError } from '../kernel/errors.ts';
import { LiveList } from '../kernel/live-list.ts';
import type { Call } from './call.ts';
import type { SentExchange } from './exchange-deps.ts';
import type { Outcome } from './outcome.ts';

/** How long the answers that were cut at the end of the grace period may take to settle. */
const SETTLE_MS = 5_000;

/** The requests on their way, and how they end together. */
export class RunningRequests {
  readonly #dispatched = new LiveList<SentExchange>();
  /** Requests that shared limits or the journal were asked about and that are not dispatched yet. */
  #opening = 0;
  #stopping = false;
  #interrupting = false;
  #whenIdle: (() => void) | null = null;

  /** Requests that were dispatched and are not over. */
  get size(): number {
    return this.#dispatched.size;
  }

  /** True once nothing new may begin. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** True once the grace period is over: what is dispatched now has to end at once. */
  get interrupting(): boolean {
    return this.#interrupting;
  }

  /** A request waits to be let through; `opened` follows, after `add` where it was. */
  readonly opening = (): void => {
    this.#opening += 1;
  };

  readonly opened = (): void => {
    this.#opening -= 1;
    this.#tellIdle();
  };

  add(exchange: SentExchange): void {
    this.#dispatched.add(exchange);
  }

  remove(exchange: SentExchange): void {
    this.#dispatched.remove(exchange);
    this.#tellIdle();
  }

  startedBefore(timeMs: number): boolean {
    return this.#dispatched.toArray().some(({ call }) => call.startedAtMs < timeMs);
  }

  /** Ends those that may not go on. @returns how many there were */
  refuse(which: (call: Call) => boolean, error: () => AppError, outcome: Outcome): number {
    const refused = this.#dispatched.toArray().filter(({ call }) => which(call));
    for (const exchange of refused) exchange.refuse(error(), outcome);
    return refused.length;
  }

  /** Lets what runs finish within the bound, then interrupts and settles the rest. */
  async stop(graceMs: number): Promise<{ interrupted: number }> {
    this.#stopping = true;
    await this.#idleWithin(graceMs);
    this.#interrupting = true;
    const running = this.#dispatched.toArray();
    for (const exchange of running) exchange.interrupt();
    await this.#idleWithin(SETTLE_MS);
    return { interrupted: running.length };
  }

  get #idle(): boolean {
    return this.#dispatched.size === 0 && this.#opening === 0;
  }

  #tellIdle(): void {
    if (this.#idle) this.#whenIdle?.();
  }

  #idleWithin(ms: number): Promise<void> {
    if (this.#idle) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
