import type { AlertCondition } from '@tallygate/contract/api/alerts';
import type { AlertFact } from '../store/ports/alerts.ts';
import { budgetText } from './amounts.ts';
import { budgetPage } from './pages.ts';
import type { Reading } from './reading.ts';
import type { BudgetReading } from './sources.ts';

type BudgetCondition = Extract<AlertCondition, { kind: 'budget' }>;

/** What of a budget is said in every notice about it. */
export function budgetFacts({
  name,
  measure,
  limit,
  spent,
  held,
  sliding,
  endMs,
}: BudgetReading): AlertFact[] {
  const amount = (value: number): string => budgetText(measure, value);
  const facts = [
    { label: 'Budget', value: name },
    { label: 'Spent', value: amount(spent) },
    { label: 'Held', value: amount(held) },
    { label: 'Limit', value: amount(limit) },
  ];
  if (!Number.isFinite(endMs) || sliding) return facts;
  return [...facts, { label: 'Starts anew', value: new Date(endMs).toISOString() }];
}

function readBudget(condition: BudgetCondition, budget: BudgetReading): Reading[] {
  const { id, name, measure, limit, environment, spent, held } = budget;
  const onSpent = condition.basis === 'spent';
  const used = onSpent ? spent : spent + held;
  const words = onSpent ? 'spent' : 'spent or held';
  // A budget of 0 is used up from the start.
  const share = limit === 0 ? 100 : Math.floor((used / limit) * 100);
  const reached = (percent: number): boolean => limit === 0 || used * 100 >= limit * percent;
  return condition.percents.map((percent) => ({
    subject: `budget:${id}:${percent}`,
    group: `budget:${id}`,
    rank: percent,
    environment,
    firing: reached(percent),
    sinceMs: null,
    title: reached(percent)
      ? `Budget ${name}: ${share} % ${words}`
      : `Budget ${name} is below ${percent} % again`,
    text: `${budgetText(measure, used)} of ${budgetText(measure, limit)} are ${words} (${share} %).`,
    facts: budgetFacts(budget),
    path: budgetPage(id),
  }));
}

/** One reading a step of each budget; of several steps passed at once only the highest is told. */
export function readBudgets(condition: BudgetCondition, budgets: readonly BudgetReading[]): Reading[] {
  return budgets.flatMap((budget) => readBudget(condition, budget));
}
