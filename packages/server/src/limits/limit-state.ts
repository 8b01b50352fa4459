import type { WindowState } from './account-windows.ts';
import type { Budget, RequestScopes, UpperBound } from './budget.ts';
import type { BudgetAccount } from './budget-account.ts';
import type { Hold } from './budget-hold.ts';

/** Why a budget lets a request not through. */
export interface Refusal {
  /** `held`: only because of requests on their way; `spent`: it does not fit what is left; `unpriced`: no price. */
  reason: 'held' | 'spent' | 'unpriced';
  account: BudgetAccount;
  /** Everything that counts with the request. */
  window: WindowState;
  /** What the request may come to; null without a price. */
  needed: number | null;
  /** When what is spent will have made room for it; null when it never will by itself. */
  freeAtMs: number | null;
}

export type Reservation =
  | { hold: Hold }
  | { refusal: Refusal }
  /** The state that nodes share is out of reach, and this budget lets nothing through then. */
  | { unavailable: Budget };

/** Null when no budget has anything to say. */
export type Decision = Reservation | null;

export interface BudgetStatus {
  budget: Budget;
  /** Everything that counts at that time. */
  window: WindowState;
}

export interface RequestAsk {
  id: string;
  /** Decides the window; the ledger files the request under the same time. */
  startedAtMs: number;
  scopes: RequestScopes;
  /** What the same request holds so far: given up if the new one is admitted, kept as it is if not. */
  replaces?: Hold | null;
}

/** Deciding what may be sent. */
export interface Admission {
  /** False as long as there is nothing to decide: then nothing has to be asked. */
  readonly active: boolean;
  /**
   * Reserves in every budget the request falls under, in one step: in all of them or in none. State in memory answers
   * at once, state that several processes share answers later; the caller takes either.
   * @param bound asked for at most once, and only when a budget in dollars or tokens matches
   */
  reserve(ask: RequestAsk, bound: () => UpperBound): Decision | Promise<Decision>;
}

/** What of a budget may change while it counts. */
export type BudgetChange = Partial<
  Pick<Budget, 'limit' | 'mode' | 'unpriced' | 'provisionalNanoUsdPerMtok' | 'onOutage'>
>;

/** The books behind the decisions, as those see them who keep and show them. */
export interface LimitState extends Admission {
  /**
   * Begins to count. Requests that started before `countsFromMs` are the ledger's to sum, see `setBefore`.
   * @param times.nowMs decides the window that `setBefore` speaks of
   */
  add(budget: Budget, times: { nowMs: number; countsFromMs: number }): void;
  /** Changes what a budget allows; its books stay. */
  update(id: string, change: BudgetChange): void;
  /** Stops counting; requests on their way settle without it. */
  remove(id: string): void;
  has(id: string): boolean;
  /** Removes every other budget. */
  keepOnly(ids: ReadonlySet<string>): void;
  /** What the ledger says was spent in the window that is filed at that time, by requests older than the account. */
  setBefore(id: string, atMs: number, amount: number): void;
  /** From now on every request is seen, whatever its start: none that the ledger has to sum is on its way. */
  countAll(id: string): void;
  /** As of the last decision or `refresh`. */
  status(id: string, nowMs: number): BudgetStatus | null;
  /** Brings what `status` says up to date, as far as the state is within reach. */
  refresh(nowMs: number): Promise<void>;
  /** What is kept back right now, oldest first; of all nodes. */
  holds(): Promise<OpenHold[]>;
}

/** Books that nodes share; they read the ledger by themselves. */
export interface SharedLimitState extends LimitState {
  /** Begins to count in a budget that another node has made. */
  learn(budget: Budget, nowMs: number): void;
  /**
   * Reads anew what the ledger says of the windows that count now, so that requests are in it which were on their way when
   * the budget was made. Resolves false when that could not be done now.
   */
  reread(id: string, nowMs: number): Promise<boolean>;
}

/** What is kept back for one request, as people see it. */
export interface OpenHold {
  requestId: string;
  startedAtMs: number;
  clampedTo: number | null;
  parts: { budgetId: string; amount: number }[];
}

export function openHold({ requestId, startedAtMs, clampedTo, parts }: Hold): OpenHold {
  return {
    requestId,
    startedAtMs,
    clampedTo,
    parts: parts.map(({ account, amount }) => ({ budgetId: account.budget.id, amount })),
  };
}
