import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { optionalArgument } from '../../options/option.ts';
import { formatInstant } from '../../output/numbers.ts';
import { formatAmount } from './budget-columns.ts';

export const budgetsHolds = defineCommand({
  name: 'budgets holds',
  summary: 'List what budgets hold for requests on their way',
  description:
    'Lists the requests on their way and what each budget keeps back for them until they end. Without a server ' +
    'nothing is on its way.',
  positionals: { budget: optionalArgument('BUDGET', 'Id or name of one budget') },
  examples: [
    { command: 'budgets holds', explains: 'Everything that is held' },
    { command: 'budgets holds web-monthly --json', explains: 'What one budget holds' },
  ],
  async handler(context, { budget: wanted }) {
    const api = await context.connect('read');
    const id =
      wanted === undefined
        ? undefined
        : findResource(wanted, (await api.budgets.list()).budgets, 'budget').id;
    const { holds } = await api.budgets.holds(id);
    context.result({ holds }, () =>
      context.table(
        holds.flatMap((hold) => hold.budgets.map((part) => ({ ...hold, part }))),
        [
          { header: 'REQUEST', value: (row) => row.requestId },
          { header: 'STARTED (UTC)', value: (row) => formatInstant(row.startedAt) },
          { header: 'BUDGET', value: (row) => row.part.name },
          { header: 'HELD', value: (row) => formatAmount(row.part.held) },
        ],
      ),
    );
    return undefined;
  },
});
