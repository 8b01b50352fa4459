import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, required } from '../../options/option.ts';

export const keysRename = defineCommand({
  name: 'keys rename',
  summary: 'Give an API key another name',
  description: 'Changes the name of a key. The key itself and everything booked on it stay as they are.',
  positionals: { key: argument('KEY', 'Id or name of the key') },
  options: { name: required('NAME', 'The new name') },
  examples: [{ command: 'keys rename laptop --name "old laptop"', explains: 'Rename by name' }],
  async handler(context, { key, name }) {
    const api = await context.connect('write');
    const found = findResource(key, (await api.keys.list()).keys, 'key');
    const renamed = await api.keys.rename(found.id, name);
    context.result(renamed, () => `Key ${found.name} is now called ${renamed.name}.\n`);
    return undefined;
  },
});
