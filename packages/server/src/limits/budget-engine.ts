import { LiveList } from '../kernel/live-list.ts';
import type { Budget, Spend, UpperBound } from './budget.ts';
import { amountOf, BudgetAccount, spendOf } from './budget-account.ts';
import { clampedOutput, judge, NO_BOUND } from './budget-decision.ts';
import { type HeldPart, Hold, type HoldBooks } from './budget-hold.ts';
import { budgetIndex } from './budget-index.ts';
import {
  type BudgetChange,
  type BudgetStatus,
  type LimitState,
  type OpenHold,
  openHold,
  type RequestAsk,
  type Reservation,
} from './limit-state.ts';

/**
 * Budgets that cannot be overshot. A request reserves the most it can come to in every budget it falls under,
 * all of them or none, before it is sent; what it did come to replaces that once it ended. Every decision is one
 * synchronous step, so no two requests can see the same money left.
 */
export class BudgetEngine implements LimitState, HoldBooks {
  readonly #accounts = new Map<string, BudgetAccount>();
  readonly #holds = new LiveList<Hold>();
  #index = budgetIndex<BudgetAccount>([]);

  get active(): boolean {
    return this.#accounts.size > 0;
  }

  add(budget: Budget, times: { nowMs: number; countsFromMs: number }): void {
    this.#accounts.set(budget.id, new BudgetAccount(budget, times.nowMs, times.countsFromMs));
    this.#index = budgetIndex(this.#accounts.values());
  }

  update(id: string, change: BudgetChange): void {
    const account = this.#accounts.get(id);
    if (account) account.budget = { ...account.budget, ...change };
  }

  remove(id: string): void {
    this.#accounts.delete(id);
    this.#index = budgetIndex(this.#accounts.values());
  }

  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#accounts.keys()) if (!ids.has(id)) this.remove(id);
  }

  setBefore(id: string, atMs: number, amount: number): void {
    this.#accounts.get(id)?.setBefore(atMs, amount);
  }

  reserve(ask: RequestAsk, bound: () => UpperBound): Decided | null {
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

  #decide(ask: RequestAsk, bound: () => UpperBound): Decided | null {
    const accounts = this.#covering(ask);
    if (accounts.length === 0) return null;
    const upper = accounts.some(measuresMore) ? bound() : NO_BOUND;
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

  /** Requests that are older than an account are the ledger's to sum. */
  #covering({ scopes, startedAtMs }: RequestAsk): BudgetAccount[] {
    const accounts = this.#index.matching(scopes);
    for (const { countsFromMs } of accounts)
      if (startedAtMs < countsFromMs) return accounts.filter((one) => startedAtMs >= one.countsFromMs);
    return accounts;
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
    if (account === undefined) return null;
    return { budget: account.budget, window: account.standing(account.windowFor(nowMs)) };
  }

  countAll(id: string): void {
    const account = this.#accounts.get(id);
    if (account) account.countsFromMs = Number.NEGATIVE_INFINITY;
  }

  has(id: string): boolean {
    return this.#accounts.has(id);
  }

  holds(): Promise<OpenHold[]> {
    const holds = this.#holds.toArray().sort((a, b) => a.startedAtMs - b.startedAtMs);
    return Promise.resolve(holds.map(openHold));
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }
}

const measuresMore = ({ budget }: BudgetAccount): boolean => budget.measure !== 'requests';

type Decided = Exclude<Reservation, { unavailable: unknown }>;

function shift(parts: readonly HeldPart[], sign: 1 | -1): void {
  for (const { window, amount } of parts) window.held += sign * amount;
}
