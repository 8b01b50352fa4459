import type { UpperBound } from '../budget.ts';
import { amountOf, type BudgetAccount, used, type WindowState } from '../budget-account.ts';
import { clampedOutput } from '../budget-decision.ts';
import type { HeldPart } from '../budget-hold.ts';
import type { Refusal, RequestAsk } from '../limit-state.ts';
import { wholeText, windowName } from './hold-text.ts';

/** Windows are remembered this long after their end, for requests that end late. */
const FORGET_AFTER_MS = 8 * 86_400_000;

/** When the shared state may forget a window; `0` for one that never ends. */
export function forgetAt(window: WindowState): string {
  return Number.isFinite(window.endMs) ? String(window.endMs + FORGET_AFTER_MS) : '0';
}

export interface QuestionPart extends HeldPart {
  /** Null without a price: such a request is let through, unless the budget is used up. */
  needed: number | null;
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
      return { account, window: account.windowFor(startedAtMs), amount: needed ?? 0, needed };
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
    if (part === undefined) return null;
    return { reason: 'unpriced', account: part.account, window: part.window, needed: null };
  }

  /** The refusal that the books gave for one part. */
  refusalOf(index: number): Refusal | null {
    const part = this.parts[index];
    if (part === undefined) return null;
    const { account, window, needed } = part;
    const { limit } = account.budget;
    const held = needed !== null && limit > 0 && used(window) + needed <= limit;
    return { reason: held ? 'held' : 'spent', account, window, needed };
  }

  get names(): string[] {
    return this.parts.map(({ account, window }) => windowName(account.budget.id, window.startMs));
  }

  /** The parts as the script reads them. @param mustBeThere whether the ledger's sum has to be in the window first */
  arguments(mustBeThere: (part: QuestionPart) => boolean): string[] {
    return this.parts.flatMap((part) => {
      const { account, window, needed, amount } = part;
      const { limit, mode } = account.budget;
      const how = mode === 'soft' ? 's' : needed === null ? 'u' : 'h';
      return [wholeText(amount), String(limit), how, mustBeThere(part) ? '1' : '0', forgetAt(window)];
    });
  }
}
