import type { BudgetView } from '@tallygate/contract/api/budgets';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { formatInstant } from '../../output/numbers.ts';
import { formatAmount, formatLimit, formatWindow } from './budget-columns.ts';

function startLine({ sliding, status: { resetsAt } }: BudgetView): string {
  if (resetsAt === null) return '  starts anew: never';
  return sliding
    ? `  what counts now has left by: ${formatInstant(resetsAt)}`
    : `  starts anew: ${formatInstant(resetsAt)}`;
}

export const budgetsShow = defineCommand({
  name: 'budgets show',
  summary: 'Show one budget, its earlier windows and who used it',
  description:
    'Shows one budget with what is spent, held and left, when it starts anew, what earlier windows came to and which ' +
    'keys used the current one most.',
  positionals: { budget: argument('BUDGET', 'Id or name of the budget') },
  examples: [{ command: 'budgets show web-monthly', explains: 'One budget by name' }],
  async handler(context, { budget: wanted }) {
    const api = await context.connect('read');
    const budget = findResource(wanted, (await api.budgets.list()).budgets, 'budget');
    const history = await api.budgets.history(budget.id);
    const { status } = budget;
    context.result({ ...budget, ...history }, () =>
      [
        `${budget.name} (${budget.id})`,
        `  ${formatLimit(budget)} for ${budget.scopeLabel}, ${formatWindow(budget)} (${budget.timeZone}), ${budget.mode}`,
        `  spent ${formatAmount(status.spent)}, held ${formatAmount(status.held)}, left ${formatAmount(status.left)}`,
        startLine(budget),
        ...history.windows.map(
          ({ start, spent }) => `  from ${formatInstant(start)}: ${formatAmount(spent)}`,
        ),
        ...history.users.map(
          ({ kind, label, spent }) => `  used by ${kind} ${label}: ${formatAmount(spent)}`,
        ),
        '',
      ].join('\n'),
    );
    return undefined;
  },
});
