import type { NamedPoolView } from '@tallygate/contract/api/pools';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

/** The pool of that id or name. @throws CliError when there is none */
export async function findPool(api: AdminApi, wanted: string): Promise<NamedPoolView> {
  return findResource(wanted, (await api.pools.list()).pools, 'pool');
}

/** Ids of accounts that are given by id or name. @throws CliError when one is not there */
export async function accountIds(api: AdminApi, wanted: readonly string[]): Promise<string[]> {
  const { accounts } = await api.accounts.list();
  return wanted.map((name) => findResource(name, accounts, 'account').id);
}
