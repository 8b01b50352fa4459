import type { BudgetHoldsView, BudgetMeasure, BudgetView } from '@tallygate/contract/api/budgets';
import { formatNanoUsd } from '@tallygate/contract/money';
import { used } from '../../limits/account-windows.ts';
import type { BudgetStatus, OpenHold } from '../../limits/limit-state.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import { toIso } from '../instant.ts';
import { type ScopeNames, scopeLabel, scopeText } from '../scope-input.ts';

/** An amount as the wire has it: dollars as exact text, counts as numbers. */
export function amountView(measure: BudgetMeasure, amount: number): string | number {
  return measure === 'usd' ? formatNanoUsd(BigInt(amount)) : amount;
}

function statusView({ measure, limit }: BudgetRow, { window }: BudgetStatus): BudgetView['status'] {
  const spent = used(window);
  return {
    windowStart: toIso(window.startMs),
    resetsAt: Number.isFinite(window.endMs) ? toIso(window.endMs) : null,
    spent: amountView(measure, spent),
    held: amountView(measure, window.held),
    left: amountView(measure, Math.max(0, limit - spent - window.held)),
    utilisation: limit === 0 ? null : spent / limit,
    exceeded: spent > limit,
  };
}

export function budgetView(row: BudgetRow, status: BudgetStatus, names: ScopeNames): BudgetView {
  const { id, name, measure, limit, window, windowHours, sliding, timeZone, mode, unpriced, onOutage } = row;
  return {
    id,
    name,
    scope: scopeText(row.scope, names),
    scopeLabel: scopeLabel(row.scope, names),
    measure,
    limitUsd: measure === 'usd' ? formatNanoUsd(BigInt(limit)) : null,
    limitTokens: measure === 'tokens' ? limit : null,
    limitWeightedTokens: measure === 'weighted_tokens' ? limit : null,
    limitRequests: measure === 'requests' ? limit : null,
    window,
    windowHours,
    sliding,
    timeZone,
    mode,
    unpriced,
    onOutage,
    provisionalUsdPerMtok:
      row.provisionalNanoUsdPerMtok === null ? null : formatNanoUsd(BigInt(row.provisionalNanoUsdPerMtok)),
    createdAt: toIso(row.createdAtMs),
    status: statusView(row, status),
  };
}

/** Holds of some budgets; a hold shows its parts in those alone. */
export function holdsView(holds: readonly OpenHold[], rows: readonly BudgetRow[]): BudgetHoldsView {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const view = ({
    requestId,
    startedAtMs,
    clampedTo,
    parts,
  }: OpenHold): BudgetHoldsView['holds'][number] => ({
    requestId,
    startedAt: toIso(startedAtMs),
    clampedTo,
    budgets: parts.flatMap(({ budgetId, amount }) => {
      const row = byId.get(budgetId);
      if (!row) return [];
      return [{ id: row.id, name: row.name, measure: row.measure, held: amountView(row.measure, amount) }];
    }),
  });
  return { holds: holds.map(view).filter(({ budgets }) => budgets.length > 0) };
}
