import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';
import type { RequestSubject, Scope } from './scope.ts';

export interface Budget {
  id: string;
  workspaceId: string;
  scope: Scope;
  measure: BudgetMeasure;
  /** Nano-USD, tokens or requests; 0 lets nothing through. A safe integer. */
  limit: number;
  window: BudgetWindow;
  /** Length of a `custom` window; null for the others. */
  windowMs: number | null;
  /** It never starts anew: what was spent leaves when the length of the window has passed. Never of a `total`. */
  sliding: boolean;
  /** IANA name; decides where days, weeks and months begin. */
  timeZone: string;
  mode: BudgetMode;
  /** What happens to a request whose model has no price, under a budget in dollars. */
  unpriced: UnpricedPolicy;
  /** What happens while the state that nodes share is out of reach; nothing asks where one process decides alone. */
  onOutage: OutagePolicy;
  /** What a million tokens of such a model count as, in nano-USD, where the policy is `provisional`. */
  provisionalNanoUsdPerMtok: number | null;
  createdAtMs: number;
}

/** What of a request decides which budgets it falls under. */
export type RequestScopes = RequestSubject;

/**
 * The most a request can come to, as a function of how many output tokens each of its answers may have, so that a
 * budget can lower that number.
 */
export interface UpperBound {
  /** Output tokens that each answer may have as it was asked for. */
  readonly outputTokens: number;
  /** A lower output limit than this would not be a valid request; null when the limit cannot be lowered. */
  readonly minOutputTokens: number | null;
  /** Null when the model has no price. */
  costNanoUsd(outputTokens: number): number | null;
  tokens(outputTokens: number): number;
  weightedTokens(outputTokens: number): number;
}

/** What a request came to. */
export interface Spend {
  costNanoUsd: number;
  tokens: number;
  weightedTokens: number;
  /** The part of `tokens` that has no price. */
  unpricedTokens: number;
}
