import { POOL_STRATEGIES } from '@tallygate/contract/api/pool';
import { defineCommand } from '../../command.ts';
import { argument, list, optional, withDefault } from '../../options/option.ts';
import { oneOf } from '../../options/parsers.ts';
import { accountIds } from './find-pool.ts';

export const poolsCreate = defineCommand({
  name: 'pools create',
  summary: 'Make a pool of some accounts',
  description:
    'Makes a named pool. Requests get to it by a rule that names it; whatever no rule sends elsewhere is served by ' +
    'the pool of all accounts.',
  positionals: { name: argument('NAME', 'What to call the pool') },
  options: {
    accounts: list('ACCOUNTS', 'Ids or names of its accounts'),
    strategy: withDefault('session', 'NAME', POOL_STRATEGIES.join(', '), oneOf(POOL_STRATEGIES)),
    notes: optional('TEXT', 'For you'),
  },
  examples: [
    {
      command: 'pools create batch --accounts spare,old --strategy drain-soonest-reset',
      explains: 'Two accounts, used up before their windows start anew',
    },
  ],
  async handler(context, { name, accounts, strategy, notes }) {
    const api = await context.connect('write');
    const pool = await api.pools.create({
      name,
      strategy,
      accountIds: await accountIds(api, accounts),
      ...(notes === undefined ? {} : { notes }),
    });
    context.result(
      pool,
      () =>
        `Pool ${pool.name} (${pool.strategy}, ${pool.accounts.length} accounts) is made. Id: ${pool.id}\n`,
    );
    return undefined;
  },
});
