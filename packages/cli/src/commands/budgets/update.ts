import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { givenOf } from '../../options/given.ts';
import { argument, optional } from '../../options/option.ts';
import { count, dollars, oneOf } from '../../options/parsers.ts';
import { formatLimit, formatWindow } from './budget-columns.ts';
import { MODES, OUTAGE, UNPRICED } from './create.ts';

export const budgetsUpdate = defineCommand({
  name: 'budgets update',
  summary: "Change a budget's limit, mode or name",
  description:
    'Changes what is given and leaves the rest; what is spent and held stays. A limit is given in the measure the budget ' +
    'has. What a budget counts, and when it starts anew, stays: make another budget for something else.',
  positionals: { budget: argument('BUDGET', 'Id or name of the budget') },
  options: {
    limitUsd: optional('AMOUNT', 'Dollars, such as 12.50', dollars),
    limitTokens: optional('N', 'Tokens, in and out', count),
    limitWeightedTokens: optional('N', 'Weighted tokens', count),
    limitRequests: optional('N', 'Requests', count),
    mode: optional('MODE', `What it does: ${MODES.join(', ')}`, oneOf(MODES)),
    name: optional('NAME', 'Another name'),
    unpriced: optional('POLICY', `Models without a price: ${UNPRICED.join(', ')}`, oneOf(UNPRICED)),
    onOutage: optional('POLICY', `Nodes that cannot reach Redis: ${OUTAGE.join(', ')}`, oneOf(OUTAGE)),
    provisionalUsdPerMtok: optional('AMOUNT', 'What a million tokens without a price count as', dollars),
  },
  examples: [
    { command: 'budgets update web --limit-usd 75', explains: 'More money for a month that runs' },
    { command: 'budgets update web --mode soft', explains: 'Only count from now on' },
  ],
  async handler(context, { budget: wanted, ...options }) {
    const change = givenOf(options);
    if (Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'Give a limit, --mode, --name, --unpriced or --on-outage.');
    const api = await context.connect('write');
    const { id } = findResource(wanted, (await api.budgets.list()).budgets, 'budget');
    const budget = await api.budgets.update(id, change);
    context.result(
      budget,
      () =>
        `Budget ${budget.name} is changed: ${formatLimit(budget)} for ${budget.scopeLabel}, ${formatWindow(budget)}, ${budget.mode}.\n`,
    );
    return undefined;
  },
});
