import type { AccountView } from '@tallygate/contract/api/accounts';
import { defineCommand } from '../../command.ts';
import { formatInstant } from '../../output/numbers.ts';

/** The five-hour and seven-day windows, or whatever windows the provider has, as far as they are used up. */
function usedUp({ windows }: AccountView): string {
  const known = windows.filter((window) => window.utilization !== null);
  const main = known.filter((window) => window.name === '5h' || window.name === '7d');
  return (main.length > 0 ? main : known.slice(0, 2))
    .map((window) => `${window.name} ${Math.round((window.utilization ?? 0) * 100)}%`)
    .join(' ');
}

/** When the whole account is free again; null when nothing keeps it. */
function freeAt({ limits }: AccountView): string | null {
  const untils = limits.filter((limit) => limit.model === null).map((limit) => limit.until);
  return untils.sort().at(-1) ?? null;
}

const STATES: Readonly<Partial<Record<AccountView['condition'], string>>> = {
  ready: 'active',
  needs_reauth: 'sign in again',
};

function credentialOf({ oauth, credentialHint }: AccountView): string {
  if (oauth !== null) return 'oauth';
  return credentialHint === null ? 'none' : `…${credentialHint}`;
}

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
          value: credentialOf,
        },
        { header: 'MODELS', value: (account) => account.models.join(',') || 'all' },
        { header: 'PRIORITY', align: 'right', value: (account) => String(account.priority) },
        {
          header: 'STATE',
          value: (account) => STATES[account.condition] ?? account.condition,
          style: (text, account) => (account.condition === 'ready' ? text : context.style.yellow(text)),
        },
        { header: 'USED', value: usedUp },
        { header: 'FREE AT (UTC)', value: (account) => formatInstant(freeAt(account)) },
        { header: 'LAST USED (UTC)', value: (account) => formatInstant(account.lastUsedAt) },
      ]);
    });
    return undefined;
  },
});
