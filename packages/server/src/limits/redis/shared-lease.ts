import type { Listed } from '../../kernel/live-list.ts';
import { rateOf } from '../burst-bucket.ts';
import { tokensFor } from '../rate-lease.ts';
import { dependsOnAccount, type RateLimit, type TokenAmounts } from '../rate-limit.ts';
import type { RateLease, RateStanding } from '../rate-state.ts';
import { WINDOW_SLICES } from '../sliding-window.ts';

/** What one shared count has of one request. */
export interface SharedPart {
  limit: RateLimit;
  /** Its hash, its leases, the counts of its limit. */
  keys: readonly [count: string, leases: string, index: string];
  partition: string;
  amount: number;
  /** Number of the slice a request was counted in. */
  slice: string;
  standing: RateStanding;
  ended: boolean;
}

/** One part as `END_RATE` reads it. */
export interface Ending {
  part: SharedPart;
  actual: number;
  takenBack: boolean;
}

export function kindOf({ measure }: RateLimit): 'r' | 't' | 'c' {
  if (measure === 'requests') return 'r';
  return measure.endsWith('tokens') ? 't' : 'c';
}

export function sliceMsOf({ windowMs }: RateLimit): number {
  return windowMs === null ? 0 : windowMs / WINDOW_SLICES;
}

/** Units, per millisecond and capacity of a bucket; zeros without one. */
export function bucketOf({
  windowMs,
  burst,
  limit,
}: RateLimit): [units: number, perMs: number, capacity: number] {
  if (windowMs === null || burst === null) return [0, 0, 0];
  const { units, perMs } = rateOf(limit, windowMs);
  return [units, perMs, burst * perMs];
}

/** A lease on counts that nodes share. What it gives back is on its way when a call returns. */
export class SharedLease implements RateLease, Listed {
  slot = -1;
  readonly id: string;
  parts: readonly SharedPart[];
  readonly #send: (lease: SharedLease, endings: readonly Ending[]) => void;
  readonly #onEnd: (lease: SharedLease) => void;
  #settled = false;
  #ended = false;

  constructor(
    id: string,
    parts: readonly SharedPart[],
    to: {
      send: (lease: SharedLease, endings: readonly Ending[]) => void;
      onEnd: (lease: SharedLease) => void;
    },
  ) {
    this.id = id;
    this.parts = parts;
    this.#send = to.send;
    this.#onEnd = to.onEnd;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** As they were when the request was admitted. */
  standings(): readonly RateStanding[] {
    return this.parts.map(({ standing }) => standing);
  }

  settle(_nowMs: number, tokens: TokenAmounts, { atLeastHeld = false } = {}): void {
    if (this.#settled || this.#ended) return;
    this.#settled = true;
    this.#finish(
      this.parts.flatMap((part): Ending[] => {
        const amount = tokensFor(part.limit.measure, tokens);
        if (amount === null) return [];
        return [{ part, actual: atLeastHeld ? Math.max(amount, part.amount) : amount, takenBack: false }];
      }),
    );
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this);
    this.#finish(held(this.parts));
  }

  refund(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this);
    this.#finish(this.parts.map((part) => ({ part, actual: 0, takenBack: true })));
  }

  /**
   * Lets go of what counts for the account the request leaves; the attempt itself has counted there.
   * @param send tells the counts, where that is not to be done at once
   */
  leaveAccount(send = this.#send): SharedPart[] {
    const left = this.parts.filter(({ limit }) => dependsOnAccount(limit));
    this.#finish(held(left), send);
    this.parts = this.parts.filter((part) => !left.includes(part));
    return left;
  }

  /** Undoes what joined since. */
  dropParts(joined: readonly SharedPart[]): void {
    this.#finish(joined.map((part) => ({ part, actual: 0, takenBack: true })));
    this.parts = this.parts.filter((part) => !joined.includes(part));
  }

  #finish(endings: readonly Ending[], send = this.#send): void {
    const open = endings.filter(({ part }) => !part.ended);
    for (const { part } of open) part.ended = true;
    if (open.length > 0) send(this, open);
  }
}

/** Requests that were sent stay counted. */
function held(parts: readonly SharedPart[]): Ending[] {
  return parts
    .filter(({ limit }) => limit.measure !== 'requests')
    .map((part) => ({ part, actual: 0, takenBack: false }));
}
