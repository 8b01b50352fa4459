import { defineCommand } from '../../command.ts';
import { BUDGET_COLUMNS } from './budget-columns.ts';

export const budgetsList = defineCommand({
  name: 'budgets list',
  summary: 'List budgets and what is left of them',
  description:
    'Lists every budget with what its current window has spent, what requests on their way hold, and what is left.',
  examples: [{ command: 'budgets list', explains: 'Every budget' }],
  async handler(context) {
    const api = await context.connect('read');
    const { budgets } = await api.budgets.list();
    context.result({ budgets }, () => context.table(budgets, BUDGET_COLUMNS));
    return undefined;
  },
});
