import type { Budget, Spend, UpperBound } from './budget.ts';
import { type TimeWindow, windowAt } from './budget-window.ts';

const TOKENS_PER_MTOK = 1_000_000;

/** What one window of a budget has used. */
export interface WindowState extends TimeWindow {
  /** Settled by requests that this budget saw. */
  settled: number;
  /** Spent by requests that started before this budget watched them; read from the ledger. */
  before: number;
  /** Reserved by requests on their way. */
  held: number;
}

/** What tokens without a price count as; null where the budget has no price for them. */
function provisional({ unpriced, provisionalNanoUsdPerMtok }: Budget, tokens: number): number | null {
  if (unpriced !== 'provisional' || provisionalNanoUsdPerMtok === null) return null;
  return Math.min(Math.ceil((tokens * provisionalNanoUsdPerMtok) / TOKENS_PER_MTOK), Number.MAX_SAFE_INTEGER);
}

/** What a request may cost a budget of this measure; null when it has no price. */
export function amountOf(budget: Budget, bound: UpperBound, outputTokens: number): number | null {
  switch (budget.measure) {
    case 'requests':
      return 1;
    case 'tokens':
      return bound.tokens(outputTokens);
    case 'weighted_tokens':
      return bound.weightedTokens(outputTokens);
    case 'usd':
      return bound.costNanoUsd(outputTokens) ?? provisional(budget, bound.tokens(outputTokens));
  }
}

/** What requests did cost a budget of this measure. */
export function spendOf(budget: Budget, spend: Spend, requests = 1): number {
  switch (budget.measure) {
    case 'requests':
      return requests;
    case 'tokens':
      return spend.tokens;
    case 'weighted_tokens':
      return spend.weightedTokens;
    case 'usd':
      return spend.costNanoUsd + (provisional(budget, spend.unpricedTokens) ?? 0);
  }
}

/** A budget with its books: the current window and the one before, which requests may still belong to. */
export class BudgetAccount {
  budget: Budget;
  /** Requests that started earlier are not seen by this account; the ledger knows them. */
  countsFromMs: number;
  #current: WindowState;
  #previous: WindowState | null = null;

  constructor(budget: Budget, nowMs: number, countsFromMs: number) {
    this.budget = budget;
    this.countsFromMs = countsFromMs;
    this.#current = freshWindow(windowAt(nowMs, budget));
  }

  /**
   * The window that a request of this start belongs to. A clock that is set back opens no window anew: what is older
   * than the windows at hand counts in the oldest of them.
   */
  windowFor(startedAtMs: number): WindowState {
    const current = this.#current;
    if (startedAtMs >= current.endMs) {
      this.#previous = current;
      this.#current = freshWindow(windowAt(startedAtMs, this.budget));
      return this.#current;
    }
    return startedAtMs >= current.startMs || this.#previous === null ? current : this.#previous;
  }

  left(window: WindowState): number {
    return this.budget.limit - used(window) - window.held;
  }
}

/** Spent in a window, whoever counted it. */
export function used(window: WindowState): number {
  return window.settled + window.before;
}

function freshWindow(window: TimeWindow): WindowState {
  return { startMs: window.startMs, endMs: window.endMs, settled: 0, before: 0, held: 0 };
}
