import { defineCommand } from '../../command.ts';
import { LIMIT_COLUMNS } from './limit-columns.ts';

export const limitsList = defineCommand({
  name: 'limits list',
  summary: 'List limits and what is counted right now',
  description: 'Lists every limit with the fullest of its counts at this moment.',
  examples: [{ command: 'limits list', explains: 'Every limit' }],
  async handler(context) {
    const api = await context.connect('read');
    const { limits } = await api.limits.list();
    context.result({ limits }, () => context.table(limits, LIMIT_COLUMNS));
    return undefined;
  },
});
