import { LiveList } from '../kernel/live-list.ts';
import { RateCounter } from './rate-counter.ts';
import { CounterLease, type RatePart, takePart, tokensFor } from './rate-lease.ts';
import {
  dependsOnAccount,
  partitionOf,
  type RateAsk,
  type RateLimit,
  type TokenAmounts,
} from './rate-limit.ts';
import type {
  RateDecision,
  RateLease,
  RateRefusal,
  RateStanding,
  RateState,
  UndoMove,
} from './rate-state.ts';
import { ScopeIndex } from './scope-index.ts';

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

const limitOf = ({ limit }: LimitCounts): RateLimit => limit;

/**
 * Limits on requests, tokens and what runs at once (CF-13, CW-04), counted in this process. Every decision is one
 * synchronous step, so no two requests can see the same room; a refused one leaves no trace.
 */
export class RateEngine implements RateState {
  readonly #limits = new Map<string, LimitCounts>();
  readonly #leases = new LiveList<CounterLease>();
  readonly #ended = (lease: CounterLease): void => this.#leases.remove(lease);
  #index = new ScopeIndex<LimitCounts>([], limitOf);

  get active(): boolean {
    return this.#limits.size > 0;
  }

  replaceAll(limits: readonly RateLimit[]): void {
    const known = new Map(this.#limits);
    this.#limits.clear();
    for (const limit of limits) {
      const before = known.get(limit.id);
      const goesOn = before !== undefined && countsTheSame(before.limit, limit);
      if (goesOn) before.change(limit);
      this.#limits.set(limit.id, goesOn ? before : new LimitCounts(limit));
    }
    this.#index = new ScopeIndex(this.#limits.values(), limitOf);
  }

  admit(ask: RateAsk, bound: () => TokenAmounts): RateDecision {
    const counters = this.#covering(ask, () => true);
    if (counters.length === 0) return null;
    const parts = take(counters, ask, bound);
    if ('needed' in parts) return { refusal: parts };
    const lease = new CounterLease(parts, this.#ended);
    this.#leases.add(lease);
    return { lease };
  }

  move(lease: RateLease, ask: RateAsk, bound: () => TokenAmounts): UndoMove {
    if (!(lease instanceof CounterLease)) return null; // of another engine: cannot be moved here
    const left = lease.leaveAccount(ask.nowMs);
    const parts = take(this.#covering(ask, dependsOnAccount), ask, bound);
    if ('needed' in parts) {
      // Nothing came between: what was free a moment ago is still there.
      lease.goBack(ask.nowMs, [], left);
      return null;
    }
    lease.join(parts);
    return () => lease.goBack(ask.nowMs, parts, left);
  }

  /** Requests on their way that limits count. */
  get leases(): number {
    return this.#leases.size;
  }

  standings(id: string, nowMs: number, most: number): { total: number; fullest: RateStanding[] } {
    const counters = [...(this.#limits.get(id)?.all() ?? [])].filter((counter) => counter.used(nowMs) > 0);
    counters.sort((a, b) => b.used(nowMs) - a.used(nowMs));
    const fullest = counters.slice(0, most).map((counter) => counter.standing(nowMs));
    return { total: counters.length, fullest };
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
    if (waitMs !== 0) {
      const standings = counters.map((one) => one.standing(ask.nowMs));
      return { limit: counter.limit, needed: amount, retryAfterMs: waitMs, standings };
    }
    amounts.push(amount);
  }
  return counters.map((counter, i) => takePart(counter, amounts[i] ?? 0, ask.nowMs));
}
