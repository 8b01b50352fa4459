import { defineCommand } from '../../command.ts';
import { formatCount, formatUsd } from '../../output/numbers.ts';

export const poolsList = defineCommand({
  name: 'pools list',
  summary: 'List pools, their accounts and how they fared',
  description:
    'Lists the pool of all accounts and every named pool with its strategy, its accounts and the last seven days: ' +
    'attempts, those that were served, and what moving sessions between accounts cost in prompt cache.',
  examples: [{ command: 'pools list', explains: 'Every pool' }],
  async handler(context) {
    const api = await context.connect('read');
    const view = await api.pools.list();
    const all = { id: '-', name: '(all accounts)', accounts: null, ...view.all };
    context.result(view, () =>
      context.table(
        [all, ...view.pools],
        [
          { header: 'ID', value: (pool) => pool.id },
          { header: 'NAME', value: (pool) => pool.name },
          { header: 'STRATEGY', value: (pool) => pool.strategy },
          {
            header: 'ACCOUNTS',
            value: (pool) => pool.accounts?.map(({ name }) => name).join(',') ?? 'all',
          },
          { header: 'ATTEMPTS 7D', align: 'right', value: ({ week }) => formatCount(week.attempts) },
          { header: 'SERVED', align: 'right', value: ({ week }) => formatCount(week.served) },
          { header: 'MOVED', align: 'right', value: ({ week }) => formatCount(week.sessionsMoved) },
          { header: 'CACHE LOST', align: 'right', value: ({ week }) => `$${formatUsd(week.cacheLossUsd)}` },
        ],
      ),
    );
    return undefined;
  },
});
