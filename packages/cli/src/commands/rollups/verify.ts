import { EXIT } from '../../cli-error.ts';
import { defineCommand } from '../../command.ts';
import { formatCount } from '../../output/numbers.ts';
import { sinceOption, untilOption } from '../usage-filters.ts';
import { rollupRangeOf } from './rollup-range.ts';

export const rollupsVerify = defineCommand({
  name: 'rollups verify',
  summary: 'Compare the sums with the requests',
  description:
    'Adds the requests up again and compares with the hourly and daily sums. Exit code 1 when they differ. Changes nothing.',
  options: { since: sinceOption, until: untilOption },
  examples: [{ command: 'rollups verify --since 30d', explains: 'The last 30 days' }],
  async handler(context, args) {
    const api = await context.connect('read');
    const found = await api.system.verifyRollups(rollupRangeOf(args, context.terminal.now()));
    context.result(found, () => {
      const checked = formatCount(found.bucketsChecked);
      if (found.ok) return `${context.style.green('ok')}  ${checked} sums are equal to their requests.\n`;
      const table = context.table(found.differences, [
        { header: 'BUCKET', value: (it) => it.bucket },
        { header: 'FIELD', value: (it) => it.field },
        { header: 'SUM', align: 'right', value: (it) => it.rollup },
        { header: 'REQUESTS', align: 'right', value: (it) => it.rows },
      ]);
      return `${context.style.red('fail')}  Of ${checked} sums some differ. Mend them: tallygate rollups rebuild\n${table}`;
    });
    return found.ok ? EXIT.ok : EXIT.failed;
  },
});
