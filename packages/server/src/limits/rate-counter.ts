import { BurstBucket } from './burst-bucket.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RateStanding } from './rate-state.ts';
import { SlidingWindow } from './sliding-window.ts';

/** When something running ends is not known: a client looks again after this long. */
const RUNNING_RETRY_MS = 1_000;

function bucketOf({ windowMs, burst, limit }: RateLimit): BurstBucket | null {
  return windowMs === null || burst === null ? null : new BurstBucket(burst, limit, windowMs);
}

/** One count of a limit: of everybody, or of one key, user, address and so on. */
export class RateCounter {
  limit: RateLimit;
  /** Whose count it is. */
  readonly partition: string;
  readonly #window: SlidingWindow | null;
  #bucket: BurstBucket | null;
  /** Kept back by requests on their way; for limits on what runs at once, those requests. */
  held = 0;

  constructor(limit: RateLimit, partition: string) {
    this.limit = limit;
    this.partition = partition;
    this.#window = limit.windowMs === null ? null : new SlidingWindow(limit.windowMs);
    this.#bucket = bucketOf(limit);
  }

  /** Allows more or less from now on; what is counted stays. */
  change(limit: RateLimit): void {
    if (limit.limit !== this.limit.limit || limit.burst !== this.limit.burst) this.#bucket = bucketOf(limit);
    this.limit = limit;
  }

  used(nowMs: number): number {
    return (this.#window?.total(nowMs) ?? 0) + this.held;
  }

  /** Nothing is counted: the counter may go and come again as if it had stayed. */
  idle(nowMs: number): boolean {
    return this.used(nowMs) === 0 && (this.#bucket?.empty(nowMs) ?? true);
  }

  /**
   * How long an amount has to wait; 0 when there is room, null when there never will be. What is more than the whole
   * limit waits for the window to be empty and then takes all of it.
   */
  msUntilRoom(nowMs: number, amount: number): number | null {
    const { limit } = this.limit;
    if (limit === 0) return null;
    const over = this.used(nowMs) + Math.min(amount, limit) - limit;
    const bucketMs = this.#bucket?.msUntilRoom(nowMs, amount) ?? 0;
    if (over <= 0) return bucketMs;
    if (this.#window === null) return RUNNING_RETRY_MS;
    const settled = this.#window.total(nowMs);
    if (over > settled) return Math.max(bucketMs, RUNNING_RETRY_MS);
    return Math.max(bucketMs, this.#window.msUntilFree(nowMs, over), 1);
  }

  /** Counts at once. @returns what `takeBack` needs */
  count(nowMs: number, amount: number): number {
    this.#bucket?.add(nowMs, amount);
    return this.#window?.add(nowMs, amount) ?? 0;
  }

  /** Nothing came of it: it does not count. */
  takeBack(nowMs: number, slice: number, amount: number): void {
    this.#window?.takeBack(slice, amount);
    this.#bucket?.add(nowMs, -amount);
  }

  /** Keeps an amount back until it is known what it came to. */
  hold(nowMs: number, amount: number): void {
    this.held += amount;
    this.#bucket?.add(nowMs, amount);
  }

  /** Ends a `hold` with what it came to. */
  settle(nowMs: number, held: number, amount: number): void {
    this.held -= held;
    if (amount > 0) this.#window?.add(nowMs, amount);
    if (amount !== held) this.#bucket?.add(nowMs, amount - held);
  }

  standing(nowMs: number): RateStanding {
    const settled = this.#window?.total(nowMs) ?? 0;
    return {
      limit: this.limit,
      partition: this.partition,
      used: settled + this.held,
      held: this.held,
      left: Math.max(0, this.limit.limit - settled - this.held),
      msUntilEmpty: settled === 0 ? 0 : (this.#window?.msUntilFree(nowMs, settled) ?? 0),
    };
  }
}
