import { defineCommand } from '../command.ts';
import { readVersion } from '../io/read-version.ts';

export const version = defineCommand({
  name: 'version',
  summary: 'Print the version',
  description: 'Prints the version of this program and of the runtime it runs on.',
  examples: [{ command: 'version --json', explains: '{"version","runtime"}' }],
  async handler(context) {
    const found = { version: readVersion(), runtime: context.terminal.runtime };
    context.result(found, () => `tallygate ${found.version} (${found.runtime})\n`);
    return undefined;
  },
});
