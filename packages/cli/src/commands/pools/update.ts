import { POOL_STRATEGIES } from '@tallygate/contract/api/pool';
import { usageError } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { argument, list, optional } from '../../options/option.ts';
import { oneOf } from '../../options/parsers.ts';
import { accountIds, findPool } from './find-pool.ts';

export const poolsUpdate = defineCommand({
  name: 'pools update',
  summary: "Change a pool's name, strategy or accounts",
  description: 'Changes what is given and leaves the rest. The next request goes by it.',
  positionals: { pool: argument('POOL', 'Id or name of the pool') },
  options: {
    name: optional('NAME', 'Another name'),
    strategy: optional('NAME', POOL_STRATEGIES.join(', '), oneOf(POOL_STRATEGIES)),
    accounts: list('ACCOUNTS', 'Ids or names of all its accounts from now on'),
    notes: optional('TEXT', 'For you'),
  },
  examples: [
    { command: 'pools update batch --strategy least-used', explains: 'Another strategy' },
    { command: 'pools update batch --accounts spare', explains: 'One account only' },
  ],
  async handler(context, { pool: wanted, accounts, ...rest }) {
    const change = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    if (accounts.length === 0 && Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'Give --name, --strategy, --accounts or --notes.');
    const api = await context.connect('write');
    const { id } = await findPool(api, wanted);
    const members = accounts.length === 0 ? {} : { accountIds: await accountIds(api, accounts) };
    const pool = await api.pools.update(id, { ...change, ...members });
    context.result(
      pool,
      () => `Pool ${pool.name} is changed: ${pool.strategy}, ${pool.accounts.length} accounts.\n`,
    );
    return undefined;
  },
});
