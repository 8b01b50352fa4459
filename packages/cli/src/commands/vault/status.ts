import { defineCommand } from '../../command.ts';
import { formatCount, formatInstant } from '../../output/numbers.ts';

const KEY_SOURCES = {
  file: 'its file',
  environment: 'the environment',
  keychain: 'its file, locked by the keychain',
  pkcs11: 'its file, locked by a token',
} as const;

export const vaultStatus = defineCommand({
  name: 'vault status',
  summary: 'Show which keys seal the stored credentials',
  description:
    'Shows the ids of the master key and of the data keys, how many values each data key seals, and what a rotation is ' +
    'doing. Ids name keys and tell nothing about them.',
  examples: [{ command: 'vault status --json', explains: 'As JSON' }],
  async handler(context) {
    const api = await context.connect('read');
    const status = await api.vault.status();
    context.result(status, () => {
      const { masterKey, nextMasterKeyId, dataKeys, otherValues, job } = status;
      const pairs = context.pairs([
        ['Master key', `${masterKey.id} (from ${KEY_SOURCES[masterKey.source]})`],
        ...(nextMasterKeyId === null ? [] : [['On the way to', nextMasterKeyId] as const]),
        ...(otherValues === 0 ? [] : [['Older values', formatCount(otherValues)] as const]),
        ['Running', job === null ? 'nothing' : `rotation of the ${job.kind}: ${job.done} of ${job.total}`],
      ]);
      const table = context.table(dataKeys, [
        { header: 'DATA KEY', value: (key) => key.id },
        { header: 'STATE', value: (key) => (key.active ? 'seals' : 'retired') },
        { header: 'VALUES', align: 'right', value: (key) => formatCount(key.values) },
        { header: 'MADE (UTC)', value: (key) => formatInstant(key.createdAt) },
      ]);
      return `${pairs}\n${table}`;
    });
    return undefined;
  },
});
