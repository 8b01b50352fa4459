import {
  type AccountWindows,
  CalendarWindows,
  SlidingWindows,
  used,
  type WindowState,
} from './account-windows.ts';
import type { Budget, Spend, UpperBound } from './budget.ts';

const TOKENS_PER_MTOK = 1_000_000;

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

/** A budget with its books. */
export class BudgetAccount {
  budget: Budget;
  /** Requests that started earlier are not seen by this account; the ledger knows them. */
  countsFromMs: number;
  readonly #windows: AccountWindows;

  constructor(budget: Budget, nowMs: number, countsFromMs: number) {
    this.budget = budget;
    this.countsFromMs = countsFromMs;
    this.#windows = budget.sliding ? new SlidingWindows(budget) : new CalendarWindows(budget, nowMs);
  }

  /** The window that a request of this start is filed in. */
  windowFor(startedAtMs: number): WindowState {
    return this.#windows.at(startedAtMs);
  }

  /** Takes over what the ledger says of the window at an instant, unless that is not kept any more. */
  setBefore(atMs: number, amount: number): void {
    const window = this.#windows.known(atMs);
    if (window !== null) window.before = amount;
  }

  /** Everything that counts for what is filed in a window. */
  standing(window: WindowState): WindowState {
    return this.#windows.standing(window);
  }

  /** When so much of what counts for a window will have left it; null for never. */
  freeAtMs(window: WindowState, amount: number): number | null {
    return this.#windows.freeAtMs(window, amount);
  }

  /** Starts of the windows that a shared state has to sum for a window, oldest first. */
  startsFor(window: WindowState): number[] {
    return this.#windows.startsFor(window);
  }

  /** Takes over from a shared state what counts for a window in all. */
  take(window: WindowState, usedNow: number, held: number): void {
    this.#windows.take(window, usedNow, held);
  }

  /** What is left for requests that are filed in a window. */
  left(window: WindowState): number {
    const standing = this.#windows.standing(window);
    return this.budget.limit - used(standing) - standing.held;
  }
}
