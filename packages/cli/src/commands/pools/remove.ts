import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { findPool } from './find-pool.ts';

export const poolsRemove = defineCommand({
  name: 'pools remove',
  summary: 'Remove a pool that no rule names',
  description: 'Removes a pool; its accounts stay. Refused while a rule sends requests to it.',
  positionals: { pool: argument('POOL', 'Id or name of the pool') },
  examples: [{ command: 'pools remove batch', explains: 'Remove by name' }],
  async handler(context, { pool: wanted }) {
    const api = await context.connect('write');
    const { id, name } = await findPool(api, wanted);
    await api.pools.remove(id);
    context.result({ id, removed: true }, () => `Pool ${name} is removed.\n`);
    return undefined;
  },
});
