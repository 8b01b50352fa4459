import type { BudgetView } from '@tallygate/contract/api/budgets';
import { formatCount, formatShare, formatUsd } from '../../output/numbers.ts';

/** An amount in a budget's measure. */
export function formatAmount(amount: string | number): string {
  return typeof amount === 'string' ? `$${formatUsd(amount)}` : formatCount(amount);
}

/** What a budget allows, in its own measure. */
export function formatLimit(budget: BudgetView): string {
  if (budget.limitUsd !== null) return formatAmount(budget.limitUsd);
  const limit = budget.limitTokens ?? budget.limitWeightedTokens ?? budget.limitRequests;
  return `${formatCount(limit)} ${budget.measure.replace('_', ' ')}`;
}

/** When a budget starts anew: `month`, `5h`; `sliding day` where it never does. */
export function formatWindow({ window, windowHours, sliding }: BudgetView): string {
  const length = windowHours === null ? window : `${windowHours}h`;
  return sliding ? `sliding ${length}` : length;
}

export const BUDGET_COLUMNS = [
  { header: 'ID', value: (budget: BudgetView) => budget.id },
  { header: 'SCOPE', value: (budget: BudgetView) => budget.scopeLabel },
  { header: 'LIMIT', value: formatLimit },
  { header: 'WINDOW', value: formatWindow },
  { header: 'MODE', value: (budget: BudgetView) => budget.mode },
  { header: 'SPENT', value: (budget: BudgetView) => formatAmount(budget.status.spent) },
  { header: 'HELD', value: (budget: BudgetView) => formatAmount(budget.status.held) },
  { header: 'LEFT', value: (budget: BudgetView) => formatAmount(budget.status.left) },
  { header: 'USED', value: (budget: BudgetView) => formatShare(budget.status.utilisation) },
];
