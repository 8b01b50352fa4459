import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { givenOf } from '../../options/given.ts';
import { argument, optional } from '../../options/option.ts';
import { count } from '../../options/parsers.ts';
import { formatLimit } from './limit-columns.ts';

export const limitsUpdate = defineCommand({
  name: 'limits update',
  summary: "Change a limit's amount, burst or name",
  description:
    'Changes what is given and leaves the rest; what is counted goes on. What a limit counts, and for whom, stays: make ' +
    'another limit for something else.',
  positionals: { wanted: argument('LIMIT', 'Id or name of the limit') },
  options: {
    limit: optional('N', 'How many', count),
    burst: optional('N', 'How many of them may come at once; none for all of them', (text, flag) =>
      text === 'none' ? null : count(text, flag),
    ),
    name: optional('NAME', 'Another name'),
  },
  examples: [
    { command: 'limits update per-key --limit 120', explains: 'Twice as many' },
    { command: 'limits update per-key --burst none', explains: 'All of them may come at once' },
  ],
  async handler(context, { wanted, ...options }) {
    const change = givenOf(options);
    if (Object.keys(change).length === 0)
      throw usageError('Nothing to change.', 'Give --limit, --burst or --name.');
    const api = await context.connect('write');
    const { id } = findResource(wanted, (await api.limits.list()).limits, 'limit');
    const limit = await api.limits.update(id, change);
    context.result(limit, () => `Limit ${limit.name} is changed: ${formatLimit(limit)}.\n`);
    return undefined;
  },
});
