import { defineCommand } from '../../command.ts';

export const incidentResume = defineCommand({
  name: 'incident resume',
  summary: 'Let traffic through again',
  description: 'Takes back "tallygate incident pause". Requests pass from now on.',
  examples: [{ command: 'incident resume', explains: 'When it is safe again' }],
  async handler(context) {
    const api = await context.connect('write');
    const done = await api.incident.resume();
    context.result(done, () => 'Traffic passes again.\n');
    return undefined;
  },
});
