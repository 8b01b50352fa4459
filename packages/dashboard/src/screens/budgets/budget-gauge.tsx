import type { BudgetView } from '@tallygate/contract/api/budgets';
import { amountText, limitOf, shares } from './budget-text.ts';
import classes from './budgets.module.css';

const WARN_FROM = 0.75;

/** How full a budget is: spent, and held by requests on their way. */
export function BudgetGauge({ budget }: { budget: BudgetView }) {
  const { measure, status } = budget;
  const { spent, held } = shares(budget);
  const level = spent >= 1 ? 'full' : spent + held >= WARN_FROM ? 'warn' : 'calm';
  const text = `${amountText(measure, status.spent)} of ${amountText(measure, limitOf(budget))} spent`;
  return (
    <div className={classes.gauge} data-level={level}>
      <svg width="100%" height="8" role="img" aria-label={`${budget.name}: ${text}`}>
        <rect className={classes.spent} x="0" y="0" height="8" width={`${spent * 100}%`} />
        <rect className={classes.held} x={`${spent * 100}%`} y="0" height="8" width={`${held * 100}%`} />
      </svg>
    </div>
  );
}
