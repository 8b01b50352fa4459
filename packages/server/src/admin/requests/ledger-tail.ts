import type { StoredEvent } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';

/** Rows of one read and the time between reads: together a bound on what live views cost the store. */
const BATCH_ROWS = 200;
const MIN_INTERVAL_MS = 100;

type TailParts = Pick<AdminDeps, 'store' | 'liveFeed' | 'logger'>;

/** Hears committed rows in commit order. */
export interface Follower {
  isOpen(): boolean;
  onClose(listener: () => void): void;
  /** While it catches up, the next rows wait until this resolves. */
  deliver(events: readonly StoredEvent[]): Promise<void>;
}

/**
 * Follows the ledger for any number of followers with one reader: rows are read from the store once a commit,
 * however many live views are open, and only while somebody follows.
 */
export interface LedgerTail {
  /**
   * Delivers every row committed after `afterSeq` without gap or repetition, until the follower closes; a point that
   * the ledger has not reached starts at now. Resolves once the follower is up to date.
   */
  follow(afterSeq: number, follower: Follower): Promise<void>;
}

interface Place {
  seq: number;
  follower: Follower;
}

/** Hands over what this follower has not seen yet. */
function deliver(place: Place, events: readonly StoredEvent[]): Promise<void> {
  const fresh = events.filter((event) => event.ledgerSeq > place.seq);
  const last = fresh.at(-1);
  if (last === undefined) return Promise.resolve();
  place.seq = last.ledgerSeq;
  return place.follower.deliver(fresh);
}

class Tail implements LedgerTail {
  readonly #parts: TailParts;
  readonly #places = new Set<Place>();
  /** Everything up to here was delivered to all who follow. */
  #seq = 0;
  #timer: NodeJS.Timeout | null = null;
  #reading = false;
  #pending = false;
  #unsubscribe: (() => void) | null = null;

  constructor(parts: TailParts) {
    this.#parts = parts;
  }

  async follow(afterSeq: number, follower: Follower): Promise<void> {
    const { usage } = this.#parts.store;
    const lastSeq = await usage.lastLedgerSeq();
    const place: Place = { seq: Math.min(afterSeq, lastSeq), follower };
    if (this.#places.size === 0 && !this.#reading) this.#seq = lastSeq;
    // Own reads until nothing is left between here and the shared reader; that is checked and the place is taken
    // in one turn of the event loop, so no row can slip through.
    while (follower.isOpen() && place.seq < this.#seq) {
      const events = await usage.committedAfter(place.seq, BATCH_ROWS);
      if (events.length === 0) break;
      await deliver(place, events);
    }
    if (!follower.isOpen()) return;
    this.#places.add(place);
    this.#unsubscribe ??= this.#parts.liveFeed.subscribe(() => this.#schedule(MIN_INTERVAL_MS));
    follower.onClose(() => this.#leave(place));
    this.#schedule(0); // what was committed between the first look and the subscription
  }

  #leave(place: Place): void {
    this.#places.delete(place);
    if (this.#places.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(delayMs: number): void {
    this.#pending = true;
    if (this.#timer !== null || this.#reading || this.#places.size === 0) return;
    this.#timer = setTimeout(() => void this.#read(), delayMs);
  }

  async #read(): Promise<void> {
    this.#timer = null;
    this.#reading = true;
    this.#pending = false;
    try {
      const events = await this.#parts.store.usage.committedAfter(this.#seq, BATCH_ROWS);
      this.#seq = events.at(-1)?.ledgerSeq ?? this.#seq;
      for (const place of this.#places) void deliver(place, events);
      if (events.length === BATCH_ROWS) this.#pending = true;
    } catch (error) {
      this.#parts.logger.warn('live view could not read the store', { error });
      this.#pending = true;
    }
    this.#reading = false;
    if (this.#pending) this.#schedule(MIN_INTERVAL_MS);
  }
}

/** A tail over the store of these parts. */
export function createLedgerTail(parts: TailParts): LedgerTail {
  return new Tail(parts);
}
