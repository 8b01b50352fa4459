import { defineCommand } from '../../command.ts';

export const alertsEvaluate = defineCommand({
  name: 'alerts evaluate',
  summary: 'Judge every rule now',
  description:
    'Judges every rule now. A running server does so by itself, after commits of the ledger and every half minute.',
  examples: [{ command: 'alerts evaluate', explains: 'For a cron job without a server' }],
  async handler(context) {
    const api = await context.connect('write');
    const result = await api.alerts.evaluate();
    context.result(result, () => `${result.rules} rules judged, ${result.events} told.\n`);
    return undefined;
  },
});
