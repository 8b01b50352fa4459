import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const budgetsRemove = defineCommand({
  name: 'budgets remove',
  summary: 'Remove a budget',
  description: 'Removes a budget for good: nothing is limited by it from now on. The ledger stays as it is.',
  positionals: { budget: argument('BUDGET', 'Id or name of the budget') },
  examples: [{ command: 'budgets remove web-monthly', explains: 'Remove by name' }],
  async handler(context, { budget: wanted }) {
    const api = await context.connect('write');
    const budget = findResource(wanted, (await api.budgets.list()).budgets, 'budget');
    await api.budgets.remove(budget.id);
    context.result({ id: budget.id, removed: true }, () => `Budget ${budget.name} is removed.\n`);
    return undefined;
  },
});
