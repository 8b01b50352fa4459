import type { UpperBound } from './budget.ts';
import { amountOf, type BudgetAccount, used } from './budget-account.ts';
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

/** Whether one budget has room for an amount. */
export function judge(
  account: BudgetAccount,
  needed: number | null,
  startedAtMs: number,
): HeldPart | Refusal {
  const { budget } = account;
  const window = account.windowFor(startedAtMs);
  if (needed === null) {
    if (budget.unpriced === 'refuse') return { reason: 'unpriced', account, window, needed };
    // Without a price nothing can be kept back; a budget that is used up is used up for this request too.
    const full = budget.mode !== 'soft' && account.left(window) <= 0;
    return full ? { reason: 'spent', account, window, needed } : { account, window, amount: 0 };
  }
  if (budget.mode === 'soft' || (needed <= account.left(window) && budget.limit > 0))
    return { account, window, amount: needed };
  const reason = budget.limit > 0 && used(window) + needed <= budget.limit ? 'held' : 'spent';
  return { reason, account, window, needed };
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
