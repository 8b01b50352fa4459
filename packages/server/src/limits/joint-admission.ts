import type { UpperBound } from './budget.ts';
import type { Decision, RequestAsk } from './limit-state.ts';
import type { RateAsk, TokenAmounts } from './rate-limit.ts';
import type { RateDecision } from './rate-state.ts';

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

/** Deciding at once in all limits and all budgets of a request, where asking one after the other would cost two trips. */
export interface JointAdmission {
  /** Null when both have to be asked one by one. */
  admit(rates: RateQuestion, budgets: BudgetQuestion): Promise<JointDecision> | null;
}
