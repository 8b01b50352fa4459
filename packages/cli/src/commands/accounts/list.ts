import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';

export const accountsList = defineCommand({
  name: 'accounts list',
  summary: 'List upstream accounts',
  description: 'Lists the upstream accounts in the order requests try them. Credentials are never shown.',
  examples: [{ command: 'accounts list', explains: 'Every account' }],
  async handler(context) {
    const api = await context.connect('read');
    const { accounts } = await api.accounts.list();
    context.result({ accounts }, () => {
      if (accounts.length === 0) {
        return 'No upstream accounts. Add one: tallygate accounts add anthropic --name main --api-key-env ANTHROPIC_API_KEY\n';
      }
      return context.table(accounts, [
        { header: 'ID', value: (account) => account.id },
        { header: 'NAME', value: (account) => account.name },
        { header: 'PROVIDER', value: (account) => account.preset ?? account.provider },
        { header: 'BASE URL', value: (account) => account.baseUrl },
        {
          header: 'KEY',
          value: (account) => (account.credentialHint === null ? 'none' : `…${account.credentialHint}`),
        },
        { header: 'MODELS', value: (account) => account.models.join(',') || 'all' },
        { header: 'PRIORITY', align: 'right', value: (account) => String(account.priority) },
        {
          header: 'STATE',
          value: (account) => (account.paused ? 'paused' : 'active'),
          style: (text, account) => (account.paused ? context.style.yellow(text) : text),
        },
        { header: 'LAST USED (UTC)', value: (account) => formatInstant(account.lastUsedAt) },
      ]);
    });
    return undefined;
  },
});
