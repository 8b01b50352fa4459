import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, flag, optional } from '../../options/option.ts';

export const keysOwner = defineCommand({
  name: 'keys owner',
  summary: 'Say whose key an API key is',
  description:
    'Budgets and limits of a user count the requests of the keys that are theirs. It changes what happens from now on; ' +
    'requests that are booked stay as they are.',
  positionals: { key: argument('KEY', 'Id or name of the key') },
  options: {
    user: optional('NAME', 'Name or id of the user'),
    nobody: flag("The key is nobody's in particular"),
  },
  examples: [
    { command: 'keys owner laptop --user ada', explains: 'It is the key of Ada' },
    { command: 'keys owner ci --nobody', explains: "It is nobody's in particular" },
  ],
  async handler(context, { key, user, nobody }) {
    if (nobody === (user !== undefined)) throw usageError('Say whose key it is.', 'Add --user or --nobody.');
    const api = await context.connect('write');
    const found = findResource(key, (await api.keys.list()).keys, 'key');
    const changed = await api.keys.setOwner(found.id, user ?? null);
    context.result(changed, () => `Key ${changed.name} is ${changed.user?.username ?? 'nobody'}'s.\n`);
    return undefined;
  },
});
