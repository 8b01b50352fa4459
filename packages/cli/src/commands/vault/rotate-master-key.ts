import { usageError } from '../../cli-error.ts';
import { namedServer } from '../../client/locate-server.ts';
import { defineCommand } from '../../command.ts';
import { optional } from '../../options/option.ts';
import { withProgress } from './with-progress.ts';

export const vaultRotateMasterKey = defineCommand({
  name: 'vault rotate-master-key',
  summary: 'Put another master key in the place of the present one',
  description:
    'Wraps the data keys with a new master key, while the server runs. Where the key is a file, a new one is made and the ' +
    'old one is kept beside it under its id: backups made before still need it. Where it comes from the environment, ' +
    '--new-key-env names the variable with the new one; start the server with it as TALLYGATE_MASTER_KEY to finish. ' +
    'Until then both open everything. Repeat the command when it was interrupted.',
  options: {
    newKeyEnv: optional(
      'VARIABLE',
      'Variable that holds the new key, where the key comes from the environment',
    ),
  },
  examples: [
    { command: 'vault rotate-master-key', explains: 'A new key file' },
    { command: 'vault rotate-master-key --new-key-env NEW_KEY', explains: 'A key from the environment' },
  ],
  async handler(context, { newKeyEnv }) {
    if (namedServer(context.terminal, context.globals) !== null) {
      throw usageError('The master key is rotated on the machine of the server: leave out --server.');
    }
    const newKey = newKeyEnv === undefined ? undefined : context.secretFromEnvironment(newKeyEnv);
    const api = await context.connect('write');
    const done = await withProgress(context, api, api.vault.rotateMasterKey(newKey));
    context.result(done, () =>
      done.restartNeeded
        ? `Both master keys open everything now. Start the server with ${done.keyId} as TALLYGATE_MASTER_KEY: then ${done.previousKeyId} opens it no longer.\n`
        : `Master key ${done.keyId} is in force: back it up. The one before it is in ${done.previousKeyFile}: keep it as long as backups made before.\n`,
    );
    return undefined;
  },
});
