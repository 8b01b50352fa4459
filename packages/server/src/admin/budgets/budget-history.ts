import type { BudgetHistoryView } from '@tallygate/contract/api/budgets';
import type { Budget } from '../../limits/budget.ts';
import { spendOf } from '../../limits/budget-account.ts';
import { countedRange, type TimeWindow, windowsBefore } from '../../limits/budget-window.ts';
import type { RefundedRow } from '../../store/ports/budgets.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import type { ScopeNames } from '../scope-input.ts';
import { filterOf, refundedIn, spendByModel, spendOfModel, spendOfSums } from './budget-spend.ts';
import { amountView } from './budget-view.ts';

const EARLIER_WINDOWS = 11;
const MAX_USERS = 10;

type User = Omit<BudgetHistoryView['users'][number], 'spent'> & { amount: number };

async function usersOf(
  deps: AdminDeps,
  budget: Budget,
  range: TimeWindow,
  names: ScopeNames,
): Promise<User[]> {
  const between = { fromMs: range.startMs, toMs: Math.min(range.endMs, deps.clock.now() + 1) };
  const filter = filterOf(budget);
  const refunded = await refundedIn(deps.store, budget, between);
  /** Requests that count: those that came to nothing are given back. */
  const counted = (all: number, is: (row: RefundedRow) => boolean): number =>
    refunded.filter(is).reduce((left, { requests }) => left - requests, all);
  if (filter === null) {
    const rows = await spendByModel(deps.store, budget, between);
    return rows.flatMap((row): User[] => {
      const { model, requests } = row;
      if (model === null) return [];
      const came = counted(requests, (other) => other.model === model);
      return [{ kind: 'model', id: model, label: model, amount: spendOf(budget, spendOfModel(row), came) }];
    });
  }
  const rows = await deps.store.usage.breakdown({ ...between, ...filter }, 'key');
  return rows.flatMap((row): User[] => {
    if (row.groupKey === null) return [];
    const id = row.groupKey;
    const label = names.names.label('key', id);
    const came = counted(row.requests, ({ apiKeyId }) => apiKeyId === id);
    return [{ kind: 'key', id, label, amount: spendOf(budget, spendOfSums(row), came) }];
  });
}

/** What a budget's scope spent, window by window, and who used the current one; all of it from the ledger. */
export async function budgetHistory(
  deps: AdminDeps,
  budget: Budget,
  names: ScopeNames,
): Promise<BudgetHistoryView> {
  const { measure } = budget;
  const current = countedRange(deps.clock.now(), budget);
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
