import { LiveList } from '../kernel/live-list.ts';
import type { Budget, Spend, UpperBound } from './budget.ts';
import { amountOf, BudgetAccount, spendOf, used } from './budget-account.ts';
import { type HeldPart, Hold, type HoldBooks } from './budget-hold.ts';
import { BudgetIndex } from './budget-index.ts';
import type { BudgetStatus, LimitState, Refusal, RequestAsk, Reservation } from './limit-state.ts';

/**
 * Budgets that cannot be overshot. A request reserves the most it can come to in every budget it falls under,
 * all of them or none, before it is sent; what it did come to replaces that once it ended. Every decision is one
 * synchronous step, so no two requests can see the same money left.
 */
export class BudgetEngine implements LimitState, HoldBooks {
  readonly #accounts = new Map<string, BudgetAccount>();
  readonly #holds = new LiveList<Hold>();
  #index = new BudgetIndex<BudgetAccount>([]);

  get active(): boolean {
    return this.#accounts.size > 0;
  }

  add(budget: Budget, times: { nowMs: number; countsFromMs: number }): void {
    this.#accounts.set(budget.id, new BudgetAccount(budget, times.nowMs, times.countsFromMs));
    this.#index = new BudgetIndex(this.#accounts.values());
  }

  update(
    id: string,
    change: Partial<Pick<Budget, 'limit' | 'mode' | 'unpriced' | 'provisionalNanoUsdPerMtok'>>,
  ): void {
    const account = this.#accounts.get(id);
    if (account) account.budget = { ...account.budget, ...change };
  }

  remove(id: string): void {
    this.#accounts.delete(id);
    this.#index = new BudgetIndex(this.#accounts.values());
  }

  setBefore(id: string, atMs: number, amount: number): void {
    const account = this.#accounts.get(id);
    if (account) account.windowFor(atMs).before = amount;
  }

  reserve(ask: RequestAsk, bound: () => UpperBound): Reservation | null {
    const replaced = ask.replaces?.open ? ask.replaces : null;
    if (replaced) shift(replaced.parts, -1);
    const decision = this.#decide(ask, bound);
    if (decision !== null && 'refusal' in decision) {
      if (replaced) shift(replaced.parts, 1);
      return decision;
    }
    if (replaced?.end()) this.#holds.remove(replaced);
    if (decision === null) return null;
    shift(decision.hold.parts, 1);
    this.#holds.add(decision.hold);
    return decision;
  }

  #decide(ask: RequestAsk, bound: () => UpperBound): Reservation | null {
    const accounts = this.#index
      .matching(ask.scopes)
      .filter((account) => ask.startedAtMs >= account.countsFromMs);
    if (accounts.length === 0) return null;
    const needsBound = accounts.some(({ budget }) => budget.measure !== 'requests');
    const upper = needsBound ? bound() : NO_BOUND;
    const outputTokens = clampedOutput(accounts, upper, ask.startedAtMs);
    const parts: HeldPart[] = [];
    for (const account of accounts) {
      const part = judge(account, amountOf(account.budget, upper, outputTokens), ask.startedAtMs);
      if ('reason' in part) return { refusal: part };
      parts.push(part);
    }
    const clampedTo = outputTokens < upper.outputTokens ? outputTokens : null;
    return { hold: new Hold({ id: ask.id, startedAtMs: ask.startedAtMs, clampedTo }, parts, this) };
  }

  ended(hold: Hold, spend: Spend | null): void {
    this.#holds.remove(hold);
    for (const { account, window, amount } of hold.parts) {
      window.held -= amount;
      if (spend !== null) window.settled += spendOf(account.budget, spend);
    }
  }

  status(id: string, nowMs: number): BudgetStatus | null {
    const account = this.#accounts.get(id);
    return account ? { budget: account.budget, window: account.windowFor(nowMs) } : null;
  }

  countAll(id: string): void {
    const account = this.#accounts.get(id);
    if (account) account.countsFromMs = Number.NEGATIVE_INFINITY;
  }

  has(id: string): boolean {
    return this.#accounts.has(id);
  }

  holds(): Hold[] {
    return this.#holds.toArray().sort((a, b) => a.startedAtMs - b.startedAtMs);
  }
}

const NO_BOUND: UpperBound = {
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => 0,
  tokens: () => 0,
  weightedTokens: () => 0,
};

function shift(parts: readonly HeldPart[], sign: 1 | -1): void {
  for (const { window, amount } of parts) window.held += sign * amount;
}

/** Whether one budget has room for an amount. */
function judge(account: BudgetAccount, needed: number | null, startedAtMs: number): HeldPart | Refusal {
  const { budget } = account;
  const window = account.windowFor(startedAtMs);
  if (needed === null) {
    if (budget.unpriced === 'refuse') return { reason: 'unpriced', account, window, needed };
    // Without a price nothing can be kept back; a budget that is used up is used up for this request too.
    const full = budget.mode !== 'soft' && account.left(window) <= 0;
    return full ? { reason: 'spent', account, window, needed } : { account, window, amount: 0 };
  }
  if (budget.mode === 'soft' || (needed <= account.left(window) && budget.limit > 0))
    return { account, window, amount: needed };
  const reason = budget.limit > 0 && used(window) + needed <= budget.limit ? 'held' : 'spent';
  return { reason, account, window, needed };
}

/** The output limit under which the request fits every clamping budget; the one asked for when none can be found. */
function clampedOutput(accounts: readonly BudgetAccount[], bound: UpperBound, startedAtMs: number): number {
  let output = bound.outputTokens;
  if (bound.minOutputTokens === null) return output;
  for (const account of accounts) {
    if (account.budget.mode !== 'clamp' || account.budget.measure === 'requests') continue;
    const left = account.left(account.windowFor(startedAtMs));
    const fits = (tokens: number): boolean => (amountOf(account.budget, bound, tokens) ?? 0) <= left;
    if (fits(output)) continue;
    if (!fits(bound.minOutputTokens)) return bound.outputTokens; // refused below, with the amount asked for
    output = largest(bound.minOutputTokens, output, fits);
  }
  return output;
}

/** The largest number in `[from, to)` that fits; `from` does, and fitting never comes back once lost. */
function largest(from: number, to: number, fits: (value: number) => boolean): number {
  let [good, bad] = [from, to];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
