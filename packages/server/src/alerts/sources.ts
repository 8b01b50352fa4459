import type { AlertAccountCondition } from '@tallygate/contract/api/alerts';
import type { BudgetMeasure } from '@tallygate/contract/api/budgets';
import type { Environment } from '@tallygate/contract/api/projects';
import type { SecurityFinding } from '@tallygate/contract/api/security';
import type { UsageGroup } from '@tallygate/contract/api/usage';
import type { UsageQueries } from '../store/store.ts';

/** A budget with the books of its current window. */
export interface BudgetReading {
  id: string;
  name: string;
  /** Of the project or key it is about; null when it may cover several. */
  environment: Environment | null;
  measure: BudgetMeasure;
  limit: number;
  spent: number;
  held: number;
  /** What was spent leaves bit by bit; it never starts anew. */
  sliding: boolean;
  startMs: number;
  /** Infinite for a total; of a sliding one, when everything that counts now will have left. */
  endMs: number;
}

export interface AccountReading {
  id: string;
  name: string;
  /** Null when nothing is wrong that a rule could watch. */
  condition: AlertAccountCondition | null;
}

export interface ProjectReading {
  id: string;
  workspaceId: string;
  environment: Environment;
}

/** What rules are judged by. All figures of traffic are those of the ledger. */
export interface AlertSources {
  usage: Pick<UsageQueries, 'totals' | 'breakdown' | 'timeseries'>;
  projects(workspaceId: string): Promise<readonly ProjectReading[]>;
  budgets(workspaceId: string): Promise<readonly BudgetReading[]>;
  /** What the budget's scope spent over a stretch of time, in its measure. */
  spentBetween(budgetId: string, fromMs: number, toMs: number): Promise<number>;
  accounts(workspaceId: string): Promise<readonly AccountReading[]>;
  /** Those of the installation; none for a workspace that does not own it. */
  findings(workspaceId: string): Promise<readonly SecurityFinding[]>;
  /** Names for what the ledger knows by id. */
  label(workspaceId: string, group: UsageGroup, key: string | null): Promise<string>;
}
