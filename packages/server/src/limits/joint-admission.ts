import type { UpperBound } from './budget.ts';
import type { Decision, RequestAsk } from './limit-state.ts';
import type { RateAsk, TokenAmounts } from './rate-limit.ts';
import type { RateDecision, RateLease } from './rate-state.ts';

/** What limits are asked about a request. */
export interface RateQuestion {
  ask: RateAsk;
  /** Asked for only when a limit on tokens covers the request. */
  bound(): TokenAmounts;
}

/** What budgets are asked about a request. */
export interface BudgetQuestion {
  ask: RequestAsk;
  /** Asked for at most once, and only when a budget in dollars or tokens covers the request. */
  bound(): UpperBound;
}

/** What both say: where one refuses, the other has counted nothing and says nothing. */
export interface JointDecision {
  rates: RateDecision;
  budgets: Decision;
}

/** Whether a request may move; where it may not, everything is as it was. */
export interface JointMove {
  moved: boolean;
  /** What budgets say, where they were asked. */
  budgets: Decision;
}

/** Deciding at once in all limits and all budgets of a request, where asking one after the other would cost two trips. */
export interface JointAdmission {
  /** Null when both have to be asked one by one. */
  admit(rates: RateQuestion, budgets: BudgetQuestion): Promise<JointDecision> | null;
  /** Moves a request to the account that both questions name. Null when both have to be asked one by one. */
  move(lease: RateLease, rates: RateQuestion, budgets: BudgetQuestion): Promise<JointMove> | null;
}
