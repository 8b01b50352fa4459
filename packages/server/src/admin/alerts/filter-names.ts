import type { AlertFilter } from '@tallygate/contract/api/alerts';
import type { AdminDeps } from '../admin-deps.ts';
import { loadNames } from '../names.ts';
import { loadUserNames } from '../user-names.ts';

/** How people call what a filter names. */
export type FilterNames = (kind: keyof AlertFilter, value: string) => string;

export async function loadFilterNames(
  { store }: Pick<AdminDeps, 'store'>,
  workspaceId: string,
): Promise<FilterNames> {
  const [names, people] = await Promise.all([
    loadNames(store.config, workspaceId),
    loadUserNames(store.people, workspaceId),
  ]);
  return (kind, value) => {
    if (kind === 'projects') return names.label('project', value);
    if (kind === 'keys') return names.label('key', value);
    if (kind === 'accounts') return names.label('account', value);
    return kind === 'users' ? people.nameOf(value) : value;
  };
}
