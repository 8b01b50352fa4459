import { POOL_STRATEGIES, type PoolStrategy } from '@tallygate/contract/api/pool';
import { defineCommand } from '../command.ts';
import { optional } from '../options/option.ts';
import { oneOf } from '../options/parsers.ts';

const SETTING = 'setting';
const CHOICES: readonly (PoolStrategy | typeof SETTING)[] = [...POOL_STRATEGIES, SETTING];

export const pool = defineCommand({
  name: 'pool',
  summary: 'Show or change how accounts are chosen',
  description:
    'Among accounts of equal priority the strategy decides. A change takes effect with the next request and stays ' +
    'over a restart; "setting" goes back to poolStrategy of the configuration.',
  options: {
    strategy: optional('NAME', CHOICES.join(', '), oneOf(CHOICES)),
  },
  examples: [
    { command: 'pool', explains: 'The strategy in force' },
    { command: 'pool --strategy least-used', explains: 'Spread by what the providers say is used up' },
  ],
  async handler(context, { strategy }) {
    const api = await context.connect(strategy === undefined ? 'read' : 'write');
    const view =
      strategy === undefined
        ? await api.pool.show()
        : await api.pool.choose(strategy === SETTING ? null : strategy);
    const origin = view.chosen ? 'chosen here' : 'from the settings';
    context.result(view, () => `Accounts are chosen by: ${view.strategy} (${origin}).\n`);
    return undefined;
  },
});
