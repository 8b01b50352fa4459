import type { AlertFilter } from '@tallygate/contract/api/alerts';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';
import { list } from '../../options/option.ts';

/** What of the traffic a rule looks at. */
export const TRAFFIC_OPTIONS = {
  project: list('PROJECTS', 'Only these projects (id or slug)'),
  key: list('KEYS', 'Only these API keys (id or name)'),
  user: list('USERS', 'Only keys of these people (name)'),
  model: list('MODELS', 'Only these models, as served'),
  provider: list('PROVIDERS', 'Only these providers'),
  onAccount: list('ACCOUNTS', 'Only these upstream accounts (id or name)'),
  tag: list('TAGS', 'Only requests with one of these tags'),
};

/** Keys and accounts by id, whoever named them; lists that were not given are left out. */
export async function filterOf(
  options: Record<keyof typeof TRAFFIC_OPTIONS, string[]>,
  api: Pick<AdminApi, 'keys' | 'accounts'>,
): Promise<AlertFilter> {
  const { project, key, user, model, provider, onAccount, tag } = options;
  const keys = key.length === 0 ? [] : (await api.keys.list()).keys;
  const accounts = onAccount.length === 0 ? [] : (await api.accounts.list()).accounts;
  const lists: AlertFilter = {
    projects: project,
    keys: key.map((wanted) => findResource(wanted, keys, 'key').id),
    users: user,
    models: model,
    providers: provider,
    accounts: onAccount.map((wanted) => findResource(wanted, accounts, 'account').id),
    tags: tag,
  };
  return Object.fromEntries(Object.entries(lists).filter(([, values]) => (values ?? []).length > 0));
}
