import { defineCommand } from '../../command.ts';
import { formatCount } from '../../output/numbers.ts';
import { sinceOption, untilOption } from '../usage-filters.ts';
import { rollupRangeOf } from './rollup-range.ts';

export const rollupsRebuild = defineCommand({
  name: 'rollups rebuild',
  summary: 'Recompute the sums from the requests',
  description:
    'Recomputes hourly and daily sums from the requests, over whole UTC hours and days of the range. Doing it twice ' +
    'changes nothing. Needed only when "rollups verify" finds differences.',
  options: { since: sinceOption, until: untilOption },
  examples: [
    { command: 'rollups rebuild', explains: 'Everything' },
    { command: 'rollups rebuild --since 7d', explains: 'The last week' },
  ],
  async handler(context, args) {
    const api = await context.connect('write');
    const done = await api.system.rebuildRollups(rollupRangeOf(args, context.terminal.now()));
    context.result(
      done,
      () =>
        `Rebuilt ${formatCount(done.rollupRows)} sums from ${formatCount(done.events)} requests (${done.from} to ${done.to}).\n`,
    );
    return undefined;
  },
});
