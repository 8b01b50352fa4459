import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import { usageError } from '../../cli-error.ts';
import { findResource } from '../../client/find-resource.ts';
import { defineCommand } from '../../command.ts';
import { argument, flag } from '../../options/option.ts';
import { limitOptions, limitsOf, limitsText } from './key-limits.ts';

export const keysLimit = defineCommand({
  name: 'keys limit',
  summary: 'Set what an API key may be used for',
  description:
    'Replaces the limits of a key, at once: what is left out is no longer limited. A request outside them answers 403 key_restricted.',
  positionals: { key: argument('KEY', 'Id or name of the key') },
  options: { ...limitOptions, none: flag('Removes all limits') },
  examples: [
    {
      command: "keys limit bot --addresses 10.0.0.0/8 --models 'claude-haiku-*'",
      explains: 'One network, one family of models',
    },
    { command: 'keys limit bot --none', explains: 'Anything again' },
  ],
  async handler(context, { key, none, ...given }) {
    const limits = limitsOf(given);
    if (none === (limits !== null)) {
      throw usageError(
        'Say which limits the key gets, or --none.',
        'Add --addresses, --origins, --models or --providers.',
      );
    }
    const api = await context.connect('write');
    const found = findResource(key, (await api.keys.list()).keys, 'key');
    const limited = await api.keys.limit(found.id, limits ?? NO_RESTRICTIONS);
    context.result(limited, () => `Limits of key ${limited.name}: ${limitsText(limited.restrictions)}.\n`);
    return undefined;
  },
});
