import type { Listed } from '../kernel/live-list.ts';
import type { RateCounter } from './rate-counter.ts';
import { dependsOnAccount, type TokenAmounts } from './rate-limit.ts';

/** What one count has of one request. */
export interface RatePart {
  counter: RateCounter;
  amount: number;
  /** Of a count of requests: where it was counted. */
  slice: number;
  ended: boolean;
}

/** What a count of this measure makes of the tokens a request came to. */
export function tokensFor(measure: string, tokens: TokenAmounts): number | null {
  if (measure === 'tokens') return tokens.input + tokens.output;
  if (measure === 'input_tokens') return tokens.input;
  return measure === 'output_tokens' ? tokens.output : null;
}

/**
 * What limits have of one request: slots that are free again when it ends, and tokens that are corrected once they are
 * known. It ends once, on whatever way the request does.
 */
export class RateLease implements Listed {
  slot = -1;
  parts: readonly RatePart[];
  readonly #onEnd: (lease: RateLease) => void;
  #settled = false;
  #ended = false;

  constructor(parts: readonly RatePart[], onEnd: (lease: RateLease) => void) {
    this.parts = parts;
    this.#onEnd = onEnd;
  }

  /**
   * Puts the tokens it came to in the place of those that were kept back. Only the first call counts.
   * @param options.atLeastHeld the answer was cut: what was not told counts as what was kept back
   */
  settle(nowMs: number, tokens: TokenAmounts, { atLeastHeld = false } = {}): void {
    if (this.#settled || this.#ended) return;
    this.#settled = true;
    for (const part of this.parts) {
      const amount = tokensFor(part.counter.limit.measure, tokens);
      if (amount === null) continue;
      part.counter.settle(nowMs, part.amount, atLeastHeld ? Math.max(amount, part.amount) : amount);
      part.ended = true;
    }
  }

  /** The request is over: what it had is free. Tokens that nobody told of count as none. */
  end(nowMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const part of this.parts) endPart(part, nowMs);
    this.#onEnd(this);
  }

  /** The request was not sent: it does not count at all. */
  refund(nowMs: number): void {
    if (this.#ended) return;
    for (const { counter, amount, slice } of this.parts)
      if (counter.limit.measure === 'requests') counter.takeBack(nowMs, slice, amount);
    this.end(nowMs);
  }

  /** Lets go of what counts for the account the request leaves; the attempt itself has counted there. */
  leaveAccount(nowMs: number): RatePart[] {
    const left = this.parts.filter(({ counter }) => dependsOnAccount(counter.limit));
    for (const part of left) endPart(part, nowMs);
    this.parts = this.parts.filter((part) => !left.includes(part));
    return left;
  }
}

function endPart(part: RatePart, nowMs: number): void {
  if (part.ended || part.counter.limit.measure === 'requests') return;
  part.ended = true;
  part.counter.settle(nowMs, part.amount, 0);
}
