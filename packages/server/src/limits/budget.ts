import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';

/** What a budget watches. `value` is an id, a slug, or a `*` pattern of models; empty for the whole workspace. */
export interface BudgetScope {
  kind: 'workspace' | 'project' | 'key' | 'model' | 'provider' | 'account' | 'tag';
  value: string;
}

export interface Budget {
  id: string;
  workspaceId: string;
  scope: BudgetScope;
  measure: BudgetMeasure;
  /** Nano-USD, tokens or requests; 0 lets nothing through. A safe integer. */
  limit: number;
  window: BudgetWindow;
  /** IANA name; decides where days, weeks and months begin. */
  timeZone: string;
  mode: BudgetMode;
  /** What happens to a request whose model has no price, under a budget in dollars. */
  unpriced: UnpricedPolicy;
  /** What happens while the state that nodes share is out of reach; nothing asks where one process decides alone. */
  onOutage: OutagePolicy;
  createdAtMs: number;
}

/** What of a request decides which budgets it falls under. */
export interface RequestScopes {
  workspaceId: string;
  keyId: string | null;
  projectId: string;
  model: string | null;
  provider: string;
  accountId: string | null;
  tags: readonly string[];
}

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
}

/** What a request came to. */
export interface Spend {
  costNanoUsd: number;
  tokens: number;
}
