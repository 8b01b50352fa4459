import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';
import type { OwnedRef } from '../store.ts';

export interface BudgetRow {
  id: string;
  workspaceId: string;
  name: string;
  scopeKind: string;
  /** Id, slug's project id, pattern or tag; empty for the workspace. */
  scopeValue: string;
  measure: BudgetMeasure;
  /** Nano-USD, tokens or requests. */
  limit: number;
  window: BudgetWindow;
  timeZone: string;
  mode: BudgetMode;
  unpriced: UnpricedPolicy;
  /** What happens while the state that nodes share is out of reach. */
  onOutage: OutagePolicy;
  createdAtMs: number;
}

/** Sums of the rows of one requested model; a sub-call counts with the model its request asked for. */
export interface ModelSpendRow {
  model: string | null;
  requests: number;
  tokens: number;
  costNanoUsd: bigint;
}

export interface BudgetStore {
  /** Of one workspace, or of all. */
  listBudgets(workspaceId: string | null): Promise<BudgetRow[]>;
  insertBudget(row: BudgetRow): Promise<void>;
  updateBudget(
    ref: OwnedRef,
    change: Partial<Pick<BudgetRow, 'name' | 'limit' | 'mode' | 'unpriced' | 'onOutage'>>,
  ): Promise<boolean>;
  deleteBudget(ref: OwnedRef): Promise<boolean>;
  /** What requests that started in `[fromMs, toMs)` came to, by the model they asked for. Reads rows. */
  readSpendByModel(range: { workspaceId: string; fromMs: number; toMs: number }): Promise<ModelSpendRow[]>;
}
