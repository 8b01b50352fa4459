import type { Listed } from '../kernel/live-list.ts';
import { used, type WindowState } from './account-windows.ts';
import type { Spend } from './budget.ts';
import type { BudgetAccount } from './budget-account.ts';

/** What one budget keeps back for one request. */
export interface HeldPart {
  account: BudgetAccount;
  /** Where the request is filed. */
  window: WindowState;
  amount: number;
}

/** How full the fullest budget of a request is. */
export interface Utilisation {
  account: BudgetAccount;
  /** Everything that counts with the request. */
  window: WindowState;
  /** Spent over limit; 1 and more means that it is used up. */
  ratio: number;
}

const NONE: readonly BudgetAccount[] = [];

/** Who hears that a hold is over. */
export interface HoldBooks {
  /** Gives back what was kept back and counts what it came to; null when nothing is owed. Once for each hold. */
  ended(hold: Hold, spend: Spend | null): void;
}

/** What all budgets of a request keep back for it, until it is settled or released: exactly once. */
export class Hold implements Listed {
  slot = -1;
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly parts: readonly HeldPart[];
  /** The output limit that a clamping budget set; null when the request stays as it was asked. */
  readonly clampedTo: number | null;
  /** True when a budget that refuses has an amount here: then what cannot be known is counted at the bound. */
  readonly binding: boolean;
  readonly #books: HoldBooks;
  #ended = false;

  constructor(
    request: { id: string; startedAtMs: number; clampedTo: number | null },
    parts: readonly HeldPart[],
    books: HoldBooks,
  ) {
    this.requestId = request.id;
    this.startedAtMs = request.startedAtMs;
    this.clampedTo = request.clampedTo;
    this.parts = parts;
    this.binding = parts.some(
      ({ account: { budget } }) => budget.mode !== 'soft' && budget.measure !== 'requests',
    );
    this.#books = books;
  }

  /** Replaces what was kept back by what it came to. Only the first call counts. */
  settle(spend: Spend): void {
    if (this.end()) this.#books.ended(this, spend);
  }

  /** Nothing was sent: nothing is owed. Only the first call of this and `settle` counts. */
  release(): void {
    if (this.end()) this.#books.ended(this, null);
  }

  get open(): boolean {
    return !this.#ended;
  }

  /** Ends it without telling the books, which know; false when it had ended. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    return true;
  }

  /** The budgets that this request was let past although they are used up: only soft ones can be. */
  exceeded(): readonly BudgetAccount[] {
    let exceeded: BudgetAccount[] | null = null;
    for (const { account, window } of this.parts) {
      if (account.budget.mode !== 'soft' || account.left(window) >= 0) continue;
      exceeded ??= [];
      exceeded.push(account);
    }
    return exceeded ?? NONE;
  }

  /** The budget that is used up most. */
  fullest(): Utilisation | null {
    let fullest: Utilisation | null = null;
    for (const part of this.parts) {
      const { account } = part;
      const window = account.standing(part.window);
      const { limit } = account.budget;
      const ratio = limit === 0 ? 1 : used(window) / limit;
      if (fullest === null || ratio > fullest.ratio) fullest = { account, window, ratio };
    }
    return fullest;
  }
}
