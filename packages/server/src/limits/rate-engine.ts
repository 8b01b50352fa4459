import { LiveList } from '../kernel/live-list.ts';
import { RateCounter } from './rate-counter.ts';
import { RateLease, type RatePart, tokensFor } from './rate-lease.ts';
import {
  dependsOnAccount,
  partitionOf,
  type RateAsk,
  type RateLimit,
  type TokenAmounts,
} from './rate-limit.ts';
import { ScopeIndex } from './scope-index.ts';

/** Why a request has to wait. */
export interface RateRefusal {
  counter: RateCounter;
  needed: number;
  /** Null when it would wait in vain. */
  retryAfterMs: number | null;
  /** What else covers the request, for the client to see. */
  counters: readonly RateCounter[];
}

export type RateDecision = { lease: RateLease } | { refusal: RateRefusal };

/** Keys, addresses and sessions are many, and the last are the client's to choose: what is counted apart is bounded. */
export const MAX_PARTITIONS = 50_000;
const SWEEP_EVERY_MS = 1_000;
/** Shared by those who come when there is no room for another count. */
const OTHERS = '*';

/** A limit with its counts. */
class LimitCounts {
  limit: RateLimit;
  readonly #counters = new Map<string, RateCounter>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.limit = limit;
  }

  get scope(): RateLimit['scope'] {
    return this.limit.scope;
  }

  counterOf(partition: string, nowMs: number): RateCounter {
    const known = this.#counters.get(partition);
    if (known !== undefined) return known;
    if (this.#full(nowMs) && partition !== OTHERS) return this.counterOf(OTHERS, nowMs);
    const made = new RateCounter(this.limit, partition);
    this.#counters.set(partition, made);
    return made;
  }

  change(limit: RateLimit): void {
    this.limit = limit;
    for (const counter of this.#counters.values()) counter.change(limit);
  }

  all(): Iterable<RateCounter> {
    return this.#counters.values();
  }

  /** Counts of nothing make room, looked for once in a while. */
  #full(nowMs: number): boolean {
    if (this.#counters.size < MAX_PARTITIONS) return false;
    if (nowMs - this.#sweptAtMs >= SWEEP_EVERY_MS) {
      this.#sweptAtMs = nowMs;
      for (const [partition, counter] of this.#counters)
        if (counter.idle(nowMs)) this.#counters.delete(partition);
    }
    return this.#counters.size >= MAX_PARTITIONS;
  }
}

/**
 * Limits on requests, tokens and what runs at once (CF-13, CW-04). A request is counted by all that cover it or by
 * none, in one synchronous step; a refused one leaves no trace.
 */
export class RateEngine {
  readonly #limits = new Map<string, LimitCounts>();
  readonly #leases = new LiveList<RateLease>();
  readonly #ended = (lease: RateLease): void => this.#leases.remove(lease);
  #index = new ScopeIndex<LimitCounts>([]);

  /** False as long as there are no limits: then nothing has to be asked. */
  get active(): boolean {
    return this.#limits.size > 0;
  }

  /** Puts limits in force; the counts of those that count the same as before go on. */
  replaceAll(limits: readonly RateLimit[]): void {
    const known = new Map(this.#limits);
    this.#limits.clear();
    for (const limit of limits) {
      const before = known.get(limit.id);
      const goesOn = before !== undefined && countsTheSame(before.limit, limit);
      if (goesOn) before.change(limit);
      this.#limits.set(limit.id, goesOn ? before : new LimitCounts(limit));
    }
    this.#index = new ScopeIndex(this.#limits.values());
  }

  /**
   * Counts a request, or says what it has to wait for.
   * @param bound the most tokens it can come to; asked for only when a limit on tokens covers it
   * @returns null when no limit covers it
   */
  admit(ask: RateAsk, bound: () => TokenAmounts): RateDecision | null {
    const counters = this.#covering(ask, () => true);
    if (counters.length === 0) return null;
    const parts = take(counters, ask, bound);
    if ('counter' in parts) return { refusal: parts };
    const lease = new RateLease(parts, this.#ended);
    this.#leases.add(lease);
    return { lease };
  }

  /**
   * Moves a lease to another account, which may fall under other limits.
   * @param ask names the new account
   * @returns false when there is no room there; then the lease is as it was
   */
  move(lease: RateLease, ask: RateAsk, bound: () => TokenAmounts): boolean {
    const left = lease.leaveAccount(ask.nowMs);
    const parts = take(this.#covering(ask, dependsOnAccount), ask, bound);
    if (!('counter' in parts)) {
      lease.parts = [...lease.parts, ...parts];
      return true;
    }
    // Nothing came between: what was free a moment ago is still there.
    lease.parts = [...lease.parts, ...left.map((part) => heldAgain(part, ask.nowMs))];
    return false;
  }

  /** Requests on their way that limits count. */
  get leases(): number {
    return this.#leases.size;
  }

  /** The counts of a limit, those that are used most first. */
  counters(id: string, nowMs: number, most: number): { total: number; used: RateCounter[] } {
    const used = [...(this.#limits.get(id)?.all() ?? [])].filter((counter) => counter.used(nowMs) > 0);
    used.sort((a, b) => b.used(nowMs) - a.used(nowMs));
    return { total: used.length, used: used.slice(0, most) };
  }

  #covering(ask: RateAsk, which: (limit: RateLimit) => boolean): RateCounter[] {
    const counters: RateCounter[] = [];
    for (const counts of this.#index.matching(ask.subject)) {
      if (counts.limit.measure === 'concurrent_streams' && !ask.stream) continue;
      if (!which(counts.limit)) continue;
      const partition = partitionOf(counts.limit.per, ask);
      if (partition !== null) counters.push(counts.counterOf(partition, ask.nowMs));
    }
    return counters;
  }
}

/** A limit that allows more or less than before goes on counting. */
function countsTheSame(a: RateLimit, b: RateLimit): boolean {
  const counted = ({ scope, per, measure, windowMs }: RateLimit): string =>
    JSON.stringify([scope, per, measure, windowMs]);
  return counted(a) === counted(b);
}

function take(
  counters: readonly RateCounter[],
  ask: RateAsk,
  bound: () => TokenAmounts,
): RatePart[] | RateRefusal {
  let tokens: TokenAmounts | null = null;
  const amounts: number[] = [];
  for (const counter of counters) {
    const { measure, limit } = counter.limit;
    let amount = 1;
    if (measure === 'requests') amount = ask.requests;
    else if (measure.endsWith('tokens')) {
      tokens ??= bound();
      amount = Math.min(tokensFor(measure, tokens) ?? 0, limit);
    }
    const waitMs = counter.msUntilRoom(ask.nowMs, amount);
    if (waitMs !== 0) return { counter, needed: amount, retryAfterMs: waitMs, counters };
    amounts.push(amount);
  }
  return counters.map((counter, i) => partOf(counter, amounts[i] ?? 0, ask.nowMs));
}

function partOf(counter: RateCounter, amount: number, nowMs: number): RatePart {
  if (counter.limit.measure === 'requests')
    return { counter, amount, slice: counter.count(nowMs, amount), ended: false };
  counter.hold(nowMs, amount);
  return { counter, amount, slice: 0, ended: false };
}

/** Requests stay counted where they were; the rest is kept back anew. */
function heldAgain(part: RatePart, nowMs: number): RatePart {
  return part.counter.limit.measure === 'requests' ? part : partOf(part.counter, part.amount, nowMs);
}
