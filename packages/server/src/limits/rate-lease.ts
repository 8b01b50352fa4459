import type { Listed } from '../kernel/live-list.ts';
import type { RateCounter } from './rate-counter.ts';
import { dependsOnAccount, type TokenAmounts } from './rate-limit.ts';
import type { RateLease, RateStanding } from './rate-state.ts';

/** What one count has of one request. */
export interface RatePart {
  counter: RateCounter;
  amount: number;
  /** Of a count of requests: where it was counted. */
  slice: number;
  ended: boolean;
}

/** What a count of this measure makes of the tokens a request came to; null when it does not count tokens. */
export function tokensFor(measure: string, tokens: TokenAmounts): number | null {
  if (measure === 'tokens') return tokens.input + tokens.output;
  if (measure === 'input_tokens') return tokens.input;
  return measure === 'output_tokens' ? tokens.output : null;
}

/** Counts a request; requests count at once, everything else is kept back until it ends. */
export function takePart(counter: RateCounter, amount: number, nowMs: number): RatePart {
  const slice = counter.limit.measure === 'requests' ? counter.count(nowMs, amount) : 0;
  if (counter.limit.measure !== 'requests') counter.hold(nowMs, amount);
  return { counter, amount, slice, ended: false };
}

function endPart(part: RatePart, nowMs: number): void {
  if (part.ended || part.counter.limit.measure === 'requests') return;
  part.ended = true;
  part.counter.settle(nowMs, part.amount, 0);
}

function undoPart(part: RatePart, nowMs: number): void {
  const { counter, amount, slice } = part;
  if (counter.limit.measure === 'requests') counter.takeBack(nowMs, slice, amount);
  else endPart(part, nowMs);
}

/** A lease on counts in this process. */
export class CounterLease implements RateLease, Listed {
  slot = -1;
  #parts: readonly RatePart[];
  readonly #onEnd: (lease: CounterLease) => void;
  #settled = false;
  #ended = false;

  constructor(parts: readonly RatePart[], onEnd: (lease: CounterLease) => void) {
    this.#parts = parts;
    this.#onEnd = onEnd;
  }

  standings(nowMs: number): RateStanding[] {
    return this.#parts.map(({ counter }) => counter.standing(nowMs));
  }

  settle(nowMs: number, tokens: TokenAmounts, { atLeastHeld = false } = {}): void {
    if (this.#settled || this.#ended) return;
    this.#settled = true;
    for (const part of this.#parts) {
      const amount = tokensFor(part.counter.limit.measure, tokens);
      if (amount === null) continue;
      part.counter.settle(nowMs, part.amount, atLeastHeld ? Math.max(amount, part.amount) : amount);
      part.ended = true;
    }
  }

  end(nowMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const part of this.#parts) endPart(part, nowMs);
    this.#onEnd(this);
  }

  refund(nowMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const part of this.#parts) undoPart(part, nowMs);
    this.#onEnd(this);
  }

  /** Lets go of what counts for the account the request leaves; the attempt itself has counted there. */
  leaveAccount(nowMs: number): RatePart[] {
    const left = this.#parts.filter(({ counter }) => dependsOnAccount(counter.limit));
    for (const part of left) endPart(part, nowMs);
    this.#parts = this.#parts.filter((part) => !left.includes(part));
    return left;
  }

  join(parts: readonly RatePart[]): void {
    this.#parts = [...this.#parts, ...parts];
  }

  /** Puts back what `leaveAccount` let go of in the place of what has joined since. */
  goBack(nowMs: number, joined: readonly RatePart[], left: readonly RatePart[]): void {
    if (this.#ended) return;
    for (const part of joined) undoPart(part, nowMs);
    const again = left.map((part) =>
      part.counter.limit.measure === 'requests' ? part : takePart(part.counter, part.amount, nowMs),
    );
    this.#parts = [...this.#parts.filter((part) => !joined.includes(part)), ...again];
  }
}
