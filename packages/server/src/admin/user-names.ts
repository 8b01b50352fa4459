import type { PeopleStore } from '../store/ports/people.ts';

/** Names of the people of a workspace. */
export interface UserNames {
  /** Null when nobody has this name or id. */
  idOf(nameOrId: string): string | null;
  /** Whoever was deleted shows the id. */
  nameOf(id: string): string;
}

export async function loadUserNames(
  people: Pick<PeopleStore, 'listMembers'>,
  workspaceId: string,
): Promise<UserNames> {
  const users = await people.listMembers(workspaceId);
  const names = new Map(users.map(({ id, username }) => [id, username]));
  const ids = new Map(users.map(({ id, username }) => [username, id]));
  return {
    idOf: (nameOrId) => ids.get(nameOrId) ?? (names.has(nameOrId) ? nameOrId : null),
    nameOf: (id) => names.get(id) ?? id,
  };
}
