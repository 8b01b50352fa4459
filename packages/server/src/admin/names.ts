import type { Environment } from '@tallygate/contract/api/projects';
import type { UsageGroup } from '@tallygate/contract/api/usage';
import type { ConfigStore } from '../store/store.ts';

/** Names of what ledger rows refer to by id. What was deleted shows its id. */
export interface Names {
  project(id: string): { id: string; slug: string };
  key(id: string | null): { id: string; name: string } | null;
  account(id: string | null): { id: string; name: string } | null;
  /** The id of the project with this id or slug; a text that names none is returned as it is and matches nothing. */
  projectId(idOrSlug: string): string;
  /** Ids of the projects of these environments. */
  projectsIn(environments: readonly Environment[]): string[];
  knows(kind: 'project' | 'key' | 'account', id: string): boolean;
  /** Words for a group's key in charts and tables. */
  label(group: UsageGroup, key: string | null): string;
}

/** Key of the group of rows that have no value in the grouped column. */
export const NO_GROUP_KEY = '';

/** Reads all names of a workspace at once: three small lists instead of one query a row. */
export async function loadNames(
  store: Pick<ConfigStore, 'listProjects' | 'listKeys' | 'listAccounts'>,
  workspaceId: string,
): Promise<Names> {
  const [projects, keys, accounts] = await Promise.all([
    store.listProjects(workspaceId),
    store.listKeys(workspaceId),
    store.listAccounts(workspaceId),
  ]);
  const slugs = new Map(projects.map((row) => [row.id, row.slug]));
  const ids = new Map(projects.map((row) => [row.slug, row.id]));
  const keyNames = new Map(keys.map((row) => [row.id, row.name]));
  const accountNames = new Map(accounts.map((row) => [row.id, row.name]));
  const maps = { project: slugs, key: keyNames, account: accountNames };
  return {
    project: (id) => ({ id, slug: slugs.get(id) ?? id }),
    key: (id) => (id === null ? null : { id, name: keyNames.get(id) ?? id }),
    account: (id) => (id === null ? null : { id, name: accountNames.get(id) ?? id }),
    projectId: (idOrSlug) => (slugs.has(idOrSlug) ? idOrSlug : (ids.get(idOrSlug) ?? idOrSlug)),
    projectsIn: (environments) =>
      projects.filter((row) => environments.includes(row.environment)).map((row) => row.id),
    knows: (kind, id) => maps[kind].has(id),
    label(group, key) {
      if (key === null) return '(none)';
      if (group === 'project' || group === 'key' || group === 'account') return maps[group].get(key) ?? key;
      return key;
    },
  };
}
