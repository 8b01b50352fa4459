import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';

export const start = defineCommand({
  name: 'start',
  summary: 'Start the server',
  description:
    'Starts the server in the foreground and prints its address; the first time also a one-time set-up link. Ctrl-C (or ' +
    'SIGTERM) stops it after running requests have ended; a second one at once. DASHBOARD_USERNAME and ' +
    'DASHBOARD_PASSWORD make the first owner without a browser.',
  takesSettings: true,
  examples: [
    { command: 'start', explains: 'With the settings in force (see: tallygate config explain)' },
    { command: 'start --data-dir ./data --port 4200', explains: 'Another place, another port' },
  ],
  async handler(context) {
    if (context.globals.server !== undefined)
      throw usageError('start runs a server here: leave out --server.');
    const { config, provenance } = await context.settings();
    const { settingsFileOf } = await import('@tallygate/server/config/load-config');
    const settingsFile = settingsFileOf(provenance);
    const { runServer } = await import('@tallygate/server/main');
    if (!context.json) return runServer(config, { print: context.line, error: context.note }, settingsFile);
    const io = {
      print: (message: string) => context.line(JSON.stringify({ message })),
      error: (message: string) => context.note(JSON.stringify({ error: { code: 'start_failed', message } })),
    };
    return runServer(config, io, settingsFile);
  },
});
