import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument } from '../../options/option.ts';
import { formatCount } from '../../output/numbers.ts';
import { formatLimit } from './limit-columns.ts';

export const limitsShow = defineCommand({
  name: 'limits show',
  summary: 'Show one limit and its fullest counts',
  description: 'Shows what a limit allows and, of its counts that are not at zero, the ten fullest.',
  positionals: { limit: argument('LIMIT', 'Id or name of the limit') },
  examples: [{ command: 'limits show per-key', explains: 'One limit by name' }],
  async handler(context, { limit: wanted }) {
    const api = await context.connect('read');
    const limit = findResource(wanted, (await api.limits.list()).limits, 'limit');
    context.result(limit, () =>
      [
        `${limit.name} (${limit.id})`,
        `  ${formatLimit(limit)}, ${limit.scopeLabel}`,
        `  counts that are not at zero: ${formatCount(limit.status.counting)}`,
        ...limit.status.fullest.map(
          ({ label, used, held, left }) =>
            `  ${label === '' ? 'together' : label}: ${formatCount(used)} used, ${formatCount(held)} of it on its way, ${formatCount(left)} left`,
        ),
        '',
      ].join('\n'),
    );
    return undefined;
  },
});
