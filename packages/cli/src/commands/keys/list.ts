import { defineCommand } from '../../command.ts';
import { flag } from '../../options/option.ts';
import { keyColumns, keyState } from './key-columns.ts';

export const keysList = defineCommand({
  name: 'keys list',
  summary: 'List API keys',
  description:
    'Lists the API keys that work. Keys themselves cannot be shown again; the prefix tells them apart.',
  options: { all: flag('Revoked and expired keys too') },
  examples: [
    { command: 'keys list', explains: 'Keys that work' },
    { command: 'keys list --all --json', explains: 'Every key there ever was, as JSON' },
  ],
  async handler(context, { all }) {
    const api = await context.connect('read');
    const now = context.terminal.now();
    const { keys } = await api.keys.list();
    const shown = all ? keys : keys.filter((key) => keyState(key, now) === 'active');
    context.result({ keys: shown }, () =>
      shown.length === 0
        ? 'No API keys. Create one: tallygate keys create --name NAME\n'
        : context.table(shown, keyColumns(now)),
    );
    return undefined;
  },
});
