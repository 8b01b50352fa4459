import { used, type WindowState } from './account-windows.ts';
import type { UpperBound } from './budget.ts';
import { amountOf, type BudgetAccount } from './budget-account.ts';
import type { HeldPart } from './budget-hold.ts';
import type { Refusal } from './limit-state.ts';

/** The bound of a request that only budgets of requests cover. */
export const NO_BOUND: UpperBound = {
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => 0,
  tokens: () => 0,
  weightedTokens: () => 0,
};

/** Why there is no room for an amount in a budget, and when there will be. */
export function refusalOf(
  account: BudgetAccount,
  { window, standing, freeAtMs }: { window: WindowState; standing: WindowState; freeAtMs?: number | null },
  needed: number | null,
): Refusal {
  const { limit } = account.budget;
  const held = needed !== null && limit > 0 && used(standing) + needed <= limit;
  const over = used(standing) + (needed ?? 1) - limit;
  return {
    reason: held ? 'held' : 'spent',
    account,
    window: standing,
    needed,
    freeAtMs: freeAtMs === undefined ? account.freeAtMs(window, over) : freeAtMs,
  };
}

/** Whether one budget has room for an amount. */
export function judge(
  account: BudgetAccount,
  needed: number | null,
  startedAtMs: number,
): HeldPart | Refusal {
  const { budget } = account;
  const window = account.windowFor(startedAtMs);
  if (needed === null && budget.unpriced === 'refuse') return unpricedRefusal(account, window);
  const standing = account.standing(window);
  const left = budget.limit - used(standing) - standing.held;
  // Without a price nothing can be kept back; a budget that is used up is used up for this request too.
  const fits = needed === null ? left > 0 : needed <= left && budget.limit > 0;
  if (fits || budget.mode === 'soft') return { account, window, amount: needed ?? 0 };
  return refusalOf(account, { window, standing }, needed);
}

/** A budget that lets nothing without a price through. */
export function unpricedRefusal(account: BudgetAccount, window: WindowState): Refusal {
  return { reason: 'unpriced', account, window: account.standing(window), needed: null, freeAtMs: null };
}

/** The output limit under which the request fits every clamping budget; the one asked for when none can be found. */
export function clampedOutput(
  accounts: readonly BudgetAccount[],
  bound: UpperBound,
  startedAtMs: number,
): number {
  let output = bound.outputTokens;
  if (bound.minOutputTokens === null) return output;
  for (const account of accounts) {
    if (account.budget.mode !== 'clamp' || account.budget.measure === 'requests') continue;
    const left = account.left(account.windowFor(startedAtMs));
    const fits = (tokens: number): boolean => (amountOf(account.budget, bound, tokens) ?? 0) <= left;
    if (fits(output)) continue;
    if (!fits(bound.minOutputTokens)) return bound.outputTokens; // refused below, with the amount asked for
    output = largest(bound.minOutputTokens, output, fits);
  }
  return output;
}

/** The largest number in `[from, to)` that fits; `from` does, and fitting never comes back once lost. */
function largest(from: number, to: number, fits: (value: number) => boolean): number {
  let [good, bad] = [from, to];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
