import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';
import type { OwnedRef } from '../store.ts';
import type { StoredScopePart } from './limits.ts';

export interface BudgetRow {
  id: string;
  workspaceId: string;
  name: string;
  /** All have to match; empty for the whole workspace. */
  scope: StoredScopePart[];
  measure: BudgetMeasure;
  /** Nano-USD, tokens or requests. */
  limit: number;
  window: BudgetWindow;
  /** Of a `custom` window. */
  windowHours: number | null;
  /** It never starts anew: what was spent leaves when the length of the window has passed. */
  sliding: boolean;
  timeZone: string;
  mode: BudgetMode;
  unpriced: UnpricedPolicy;
  /** What happens while the state that nodes share is out of reach. */
  onOutage: OutagePolicy;
  provisionalNanoUsdPerMtok: number | null;
  createdAtMs: number;
}

/** Sums of the rows of one requested model; a sub-call counts with the model its request asked for. */
export interface ModelSpendRow {
  model: string | null;
  requests: number;
  tokens: number;
  weightedTokens: number;
  /** The part of `tokens` that has no price. */
  unpricedTokens: number;
  costNanoUsd: bigint;
}

/** Requests that came to nothing, of one requested model and key. */
export interface RefundedRow {
  model: string | null;
  apiKeyId: string | null;
  requests: number;
}

/** Which rows; what is left out is not asked about. */
export interface SpendQuestion {
  workspaceId: string;
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  projectId?: string;
  apiKeyId?: string;
  userId?: string;
  sessionId?: string;
  provider?: string;
  accountId?: string;
  /** All of them. */
  tags?: readonly string[];
}

export interface BudgetStore {
  /** Of one workspace, or of all. */
  listBudgets(workspaceId: string | null): Promise<BudgetRow[]>;
  insertBudget(row: BudgetRow): Promise<void>;
  updateBudget(
    ref: OwnedRef,
    change: Partial<
      Pick<BudgetRow, 'name' | 'limit' | 'mode' | 'unpriced' | 'onOutage' | 'provisionalNanoUsdPerMtok'>
    >,
  ): Promise<boolean>;
  deleteBudget(ref: OwnedRef): Promise<boolean>;
  /** What requests that started in `[fromMs, toMs)` came to, by the model they asked for. Reads rows. */
  readSpendByModel(question: SpendQuestion): Promise<ModelSpendRow[]>;
  /** Requests that started in `[fromMs, toMs)` and for which nothing is owed: their rows are `refunded`. */
  readRefunded(question: SpendQuestion): Promise<RefundedRow[]>;
}
