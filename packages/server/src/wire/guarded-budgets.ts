import type { Admission, Decision } from '../limits/limit-state.ts';

/** The first budget that lets nothing through while its count cannot be trusted; the hold is given back then. */
function closed(decision: Decision): Decision {
  if (decision === null || !('hold' in decision)) return decision;
  const part = decision.hold.parts.find(
    ({ account: { budget } }) => budget.mode !== 'soft' && budget.onOutage === 'closed',
  );
  if (part === undefined) return decision;
  decision.hold.release();
  return { unavailable: part.account.budget };
}

/**
 * Budgets that are kept for as long as this process sees all that is spent: while it does not, each does what its policy
 * for outages says.
 */
export function guardBudgets(budgets: Admission, countsHold: () => boolean): Admission {
  return {
    get active() {
      return budgets.active;
    },
    reserve(ask, bound) {
      const decision = budgets.reserve(ask, bound);
      if (countsHold()) return decision;
      return decision instanceof Promise ? decision.then(closed) : closed(decision);
    },
  };
}
