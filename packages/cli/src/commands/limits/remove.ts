import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';

export const limitsRemove = defineCommand({
  name: 'limits remove',
  summary: 'Remove a limit',
  description: 'Removes a limit for good: nothing is held up by it from now on.',
  positionals: { limit: argument('LIMIT', 'Id or name of the limit') },
  examples: [{ command: 'limits remove per-key', explains: 'Remove by name' }],
  async handler(context, { limit: wanted }) {
    const api = await context.connect('write');
    const limit = findResource(wanted, (await api.limits.list()).limits, 'limit');
    await api.limits.remove(limit.id);
    context.result({ id: limit.id, removed: true }, () => `Limit ${limit.name} is removed.\n`);
    return undefined;
  },
});
