import { defineCommand } from '../../command.ts';
import { formatCount } from '../../output/numbers.ts';
import { withProgress } from './with-progress.ts';

export const vaultRotateDataKey = defineCommand({
  name: 'vault rotate-data-key',
  summary: 'Seal all stored credentials with a new data key',
  description:
    'Makes a new data key and seals every stored value with it, while the server runs. Every value can be opened at any ' +
    'moment; what is interrupted is finished at the next start.',
  examples: [
    { command: 'vault rotate-data-key', explains: 'Once a year, or when a copy of the store got out' },
  ],
  async handler(context) {
    const api = await context.connect('write');
    const done = await withProgress(context, api, api.vault.rotateDataKey());
    context.result(
      done,
      () =>
        `Data key ${done.keyId} seals from now on; ${formatCount(done.resealed)} values were sealed with it.\n`,
    );
    return undefined;
  },
});
