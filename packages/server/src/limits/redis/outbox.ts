import { SETTLE } from './book-scripts.ts';
import type { RedisKeys } from './redis-keys.ts';
import { type RedisLink, RedisUnavailable } from './redis-link.ts';
import { summedUntil } from './window-sums.ts';

/** The end of one request: what it came to in each window; no windows when nothing is owed. */
export interface Ending {
  requestId: string;
  startedAtMs: number;
  /** It was let through without an answer of Redis. */
  isUnasked?: boolean;
  amounts: EndingAmount[];
}

export interface EndingAmount {
  window: string;
  amount: string;
  forgetAtMs: string;
  /** When the budget was made: its first moments are the ledger's to sum. */
  madeAtMs: number;
}

const BATCH = 200;
/** More than this is not remembered: the books are made anew from the ledger instead. */
const MAX_WAITING = 100_000;

/** Does the ledger's sum of the budget reach beyond the start of the request? */
function isOlder({ startedAtMs }: Ending, { madeAtMs }: EndingAmount, fromMs: number): boolean {
  return startedAtMs < summedUntil({ createdAtMs: madeAtMs }, fromMs);
}

/** Arguments of one ending, as the scripts read them. @param fromMs when the books begin */
export function endingArguments(ending: Ending, fromMs: number): string[] {
  const list = [ending.requestId, String(ending.amounts.length)];
  const older = ending.isUnasked === true ? '2' : '1';
  for (const amount of ending.amounts)
    list.push(
      ...[amount.window, amount.amount, amount.forgetAtMs],
      isOlder(ending, amount, fromMs) ? older : '0',
    );
  return list;
}

/**
 * Carries the ends of requests to Redis, each exactly once: batches are numbered, one is on its way at a time, and a
 * batch without an answer is sent again under its number.
 */
export class Outbox {
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #owner: string;
  readonly #onTrouble: (kind: 'stale' | 'lost') => void;
  readonly #maxWaiting: number;
  #waiting: Ending[] = [];
  /** Ended before books that are not joined yet: those decide whether the ledger has them in its sums. */
  #ended: Ending[] = [];
  /** How many of the waiting ones are in the batch on its way, or were when it failed. */
  #batch = 0;
  #number = 0;
  #books: { generation: string; fromMs: number } | null = null;
  #running: Promise<void> | null = null;
  #overflown = false;

  constructor(
    link: RedisLink,
    parts: {
      keys: RedisKeys;
      owner: string;
      onTrouble: (kind: 'stale' | 'lost') => void;
      maxWaiting?: number | undefined;
    },
  ) {
    this.#maxWaiting = parts.maxWaiting ?? MAX_WAITING;
    this.#link = link;
    this.#keys = parts.keys;
    this.#owner = parts.owner;
    this.#onTrouble = parts.onTrouble;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Number of the last batch. */
  get number(): number {
    return this.#number;
  }

  /** True when ends were dropped: only the ledger knows them. */
  get overflown(): boolean {
    return this.#overflown;
  }

  push(ending: Ending): void {
    if (this.#waiting.length + this.#ended.length >= this.#maxWaiting) {
      this.#overflown = true;
      this.#waiting = [];
      this.#ended = [];
      this.#batch = 0;
    }
    this.#waiting.push(ending);
    if (this.#waiting.length === 1 && this.#running === null) setImmediate(this.pump);
  }

  has(requestId: string): boolean {
    return this.#waiting.some((ending) => ending.requestId === requestId);
  }

  /**
   * Sets aside what waits: of everything that ended so far the ledger will have rows. What ends from now on waits for
   * `resume`.
   * @param capture what is on its way in the same instant; `hasEnded` when ends were set aside
   */
  async pause<T>(capture: (hasEnded: boolean) => T): Promise<T> {
    this.#books = null;
    await this.#running;
    this.#ended.push(...this.#waiting.splice(0));
    this.#batch = 0;
    this.#overflown = false;
    return capture(this.#ended.length > 0);
  }

  /** Goes on with other books: what started too late for the ledger's sums of those is told to them. */
  resume(books: { generation: string; fromMs: number }): void {
    const late = this.#ended.splice(0).flatMap((ending) => {
      const amounts = ending.amounts.filter((amount) => !isOlder(ending, amount, books.fromMs));
      return amounts.length === 0 ? [] : [{ ...ending, amounts }];
    });
    this.#waiting.unshift(...late);
    this.#books = books;
    this.pump();
  }

  readonly pump = (): void => {
    if (this.#running !== null || this.#books === null || this.#waiting.length === 0 || !this.#link.up)
      return;
    this.#running = this.#send(this.#books).finally(() => {
      this.#running = null;
    });
  };

  async #send(books: { generation: string; fromMs: number }): Promise<void> {
    const { generation, fromMs } = books;
    const keys = [
      this.#keys.state,
      this.#keys.holds(generation, this.#owner),
      this.#keys.expired(generation, this.#owner),
      this.#keys.batches(generation),
    ];
    const prefixes = [this.#keys.windows(generation), this.#keys.older(generation)];
    while (this.#books === books && this.#waiting.length > 0) {
      if (this.#batch === 0) {
        this.#batch = Math.min(BATCH, this.#waiting.length);
        this.#number += 1;
      }
      const args = [generation, this.#owner, String(this.#number), ...prefixes];
      for (const ending of this.#waiting.slice(0, this.#batch)) args.push(...endingArguments(ending, fromMs));
      if (!(await this.#sendOne(keys, args))) return;
      this.#waiting.splice(0, this.#batch);
      this.#batch = 0;
    }
  }

  async #sendOne(keys: string[], args: string[]): Promise<boolean> {
    try {
      const answer = await this.#link.run(SETTLE, keys, args);
      if (answer === 'ok') return true;
      this.#onTrouble(answer === 'gap' ? 'lost' : 'stale');
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error; // sent again with the next heartbeat
    }
    return false;
  }
}
