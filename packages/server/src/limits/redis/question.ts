import type { WindowState } from '../account-windows.ts';
import type { Budget, UpperBound } from '../budget.ts';
import { amountOf, type BudgetAccount } from '../budget-account.ts';
import { clampedOutput, refusalOf, unpricedRefusal } from '../budget-decision.ts';
import type { HeldPart } from '../budget-hold.ts';
import { countsAfterMs } from '../budget-window.ts';
import type { Refusal, RequestAsk } from '../limit-state.ts';
import { wholeText, windowName } from './hold-text.ts';

/** Windows are remembered this long after nothing of them counts any more, for requests that end late. */
const FORGET_AFTER_MS = 8 * 86_400_000;

/** When the shared state may forget a window; `0` for one that never ends. */
export function forgetAt(budget: Budget, { endMs }: Pick<WindowState, 'endMs'>): string {
  return Number.isFinite(endMs) ? String(endMs + countsAfterMs(budget) + FORGET_AFTER_MS) : '0';
}

export interface QuestionPart extends HeldPart {
  /** Null without a price: such a request is let through, unless the budget is used up. */
  needed: number | null;
  /** Starts of the windows that count with the request, oldest first. */
  startsMs: readonly number[];
}

/** What one request asks of its budgets, as far as this process can tell before Redis is asked. */
export class Question {
  readonly ask: RequestAsk;
  readonly accounts: readonly BudgetAccount[];
  readonly #upper: UpperBound;
  parts: QuestionPart[] = [];
  outputTokens = 0;

  constructor(ask: RequestAsk, accounts: readonly BudgetAccount[], upper: UpperBound) {
    this.ask = ask;
    this.accounts = accounts;
    this.#upper = upper;
    this.reckon();
  }

  /** Reckons anew from what the windows are known to hold now. @returns false when that asks for no less than before */
  reckon(): boolean {
    const { startedAtMs } = this.ask;
    const before = this.parts.length === 0 ? Number.POSITIVE_INFINITY : this.outputTokens;
    this.outputTokens = clampedOutput(this.accounts, this.#upper, startedAtMs);
    this.parts = this.accounts.map((account) => {
      const needed = amountOf(account.budget, this.#upper, this.outputTokens);
      const window = account.windowFor(startedAtMs);
      return { account, window, amount: needed ?? 0, needed, startsMs: account.startsFor(window) };
    });
    return this.outputTokens < before;
  }

  get clampedTo(): number | null {
    return this.outputTokens < this.#upper.outputTokens ? this.outputTokens : null;
  }

  /** A budget that lets nothing without a price through refuses before anybody is asked. */
  unpriced(): Refusal | null {
    const part = this.parts.find(
      ({ account, needed }) => needed === null && account.budget.unpriced === 'refuse',
    );
    return part === undefined ? null : unpricedRefusal(part.account, part.window);
  }

  /** The refusal that the books gave for one part. @param leaves which of its windows has to leave first; 0 for none */
  refusalOf(index: number, leaves: number): Refusal | null {
    const part = this.parts[index];
    if (part === undefined) return null;
    const { account, window, needed, startsMs } = part;
    const standing = account.standing(window);
    if (!account.budget.sliding) return refusalOf(account, { window, standing }, needed);
    const startMs = startsMs[leaves - 1];
    const sliceMs = window.endMs - window.startMs;
    const freeAtMs = startMs === undefined ? null : startMs + sliceMs + countsAfterMs(account.budget);
    return refusalOf(account, { window, standing, freeAtMs }, needed);
  }

  /** Names of all windows that count, part by part. */
  get names(): string[] {
    return this.parts.flatMap(({ account, startsMs }) =>
      startsMs.map((startMs) => windowName(account.budget.id, startMs)),
    );
  }

  /** The parts as the script reads them. @param summedUntil before when the ledger's sum has to be in a window first */
  arguments(summedUntil: (account: BudgetAccount) => number): string[] {
    return this.parts.flatMap(({ account, window, needed, amount, startsMs }) => {
      const { limit, mode } = account.budget;
      const how = mode === 'soft' ? 's' : needed === null ? 'u' : 'h';
      const untilMs = summedUntil(account);
      const before = startsMs.filter((startMs) => startMs < untilMs).length;
      const filed = startsMs.indexOf(window.startMs) + 1;
      const counts = [before, forgetAt(account.budget, window), startsMs.length, filed].map(String);
      const isOlder = this.ask.startedAtMs < untilMs ? '1' : '0';
      return [wholeText(amount), String(limit), how, ...counts, isOlder];
    });
  }
}
