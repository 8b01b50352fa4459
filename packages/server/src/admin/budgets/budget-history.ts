import type { BudgetHistoryView, BudgetMeasure } from '@tallygate/contract/api/budgets';
import type { Budget } from '../../limits/budget.ts';
import { modelPattern } from '../../limits/budget-index.ts';
import { type TimeWindow, windowAt, windowsBefore } from '../../limits/budget-window.ts';
import type { UsageSumsRow } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import type { Names } from '../names.ts';
import { filterOf } from './budget-book.ts';
import { amountView } from './budget-view.ts';

const EARLIER_WINDOWS = 11;
const MAX_USERS = 10;

type User = Omit<BudgetHistoryView['users'][number], 'spent'> & { amount: number };

function amountIn(measure: BudgetMeasure, sums: UsageSumsRow): number {
  if (measure === 'requests') return sums.requests;
  if (measure === 'usd') return Number(sums.costNanoUsd);
  return Object.values(sums.tokens).reduce((sum, count) => sum + count, 0);
}

async function usersOf(deps: AdminDeps, budget: Budget, range: TimeWindow, names: Names): Promise<User[]> {
  const { workspaceId, scope, measure } = budget;
  const toMs = Math.min(range.endMs, deps.clock.now() + 1);
  if (scope.kind === 'model') {
    const pattern = modelPattern(scope.value);
    const rows = await deps.store.budgets.readSpendByModel({ workspaceId, fromMs: range.startMs, toMs });
    return rows.flatMap(({ model, costNanoUsd, tokens, requests }): User[] => {
      if (model === null || !pattern.test(model)) return [];
      const amounts = { usd: Number(costNanoUsd), tokens, requests };
      return [{ kind: 'model', id: model, label: model, amount: amounts[measure] }];
    });
  }
  const filter = { fromMs: range.startMs, toMs, ...filterOf(budget) };
  const rows = await deps.store.usage.breakdown(filter, 'key');
  return rows.flatMap((row): User[] => {
    if (row.groupKey === null) return [];
    const label = names.label('key', row.groupKey);
    return [{ kind: 'key', id: row.groupKey, label, amount: amountIn(measure, row) }];
  });
}

/** What a budget's scope spent, window by window, and who used the current one; all of it from the ledger. */
export async function budgetHistory(
  deps: AdminDeps,
  budget: Budget,
  names: Names,
): Promise<BudgetHistoryView> {
  const { measure } = budget;
  const current = windowAt(deps.clock.now(), budget);
  const windows: BudgetHistoryView['windows'] = [];
  for (const window of [current, ...windowsBefore(current, budget, EARLIER_WINDOWS)]) {
    const spent = await deps.budgets.spentIn(budget, window);
    const end = Number.isFinite(window.endMs) ? toIso(window.endMs) : null;
    windows.push({ start: toIso(window.startMs), end, spent: amountView(measure, spent) });
  }
  const users = (await usersOf(deps, budget, current, names))
    .filter(({ amount }) => amount > 0)
    .sort((a, b) => b.amount - a.amount)
    .slice(0, MAX_USERS)
    .map(({ amount, ...user }) => ({ ...user, spent: amountView(measure, amount) }));
  return { windows, users };
}
