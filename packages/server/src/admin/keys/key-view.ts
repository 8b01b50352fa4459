import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import { AppError } from '../../kernel/errors.ts';
import type { ApiKeyRow, OwnedRef } from '../../store/store.ts';
import type { AdminContext } from '../admin-deps.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import { loadUserNames, type UserNames } from '../user-names.ts';

function previousView(row: ApiKeyRow, nowMs: number): ApiKeyView['previous'] {
  const { previous, revokedAtMs } = row;
  if (previous === null || revokedAtMs !== null || previous.expiresAtMs <= nowMs) return null;
  return { prefix: previous.prefix, expiresAt: toIso(previous.expiresAtMs) };
}

/** What people may see of a key: never a hash. */
function keyView(
  row: ApiKeyRow,
  { slug, users, nowMs }: { slug: string; users: UserNames; nowMs: number },
): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    kind: row.kind,
    scopes: row.scopes,
    project: { id: row.projectId, slug },
    user: row.userId === null ? null : { id: row.userId, username: users.nameOf(row.userId) },
    restrictions: row.restrictions ?? NO_RESTRICTIONS,
    createdAt: toIso(row.createdAtMs),
    expiresAt: toIsoOrNull(row.expiresAtMs),
    revokedAt: toIsoOrNull(row.revokedAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
    rotatedAt: toIsoOrNull(row.rotatedAtMs),
    previous: previousView(row, nowMs),
  };
}

/** Every key of the workspace, oldest first. */
export async function keyViews(
  { store, clock }: Pick<AdminContext, 'store' | 'clock'>,
  workspaceId: string,
): Promise<ApiKeyView[]> {
  const { config, people } = store;
  const [keys, projects] = await Promise.all([
    config.listKeys(workspaceId),
    config.listProjects(workspaceId),
  ]);
  const users = await loadUserNames(people, workspaceId);
  const slugs = new Map(projects.map((project) => [project.id, project.slug]));
  const nowMs = clock.now();
  return keys.map((row) => keyView(row, { slug: slugs.get(row.projectId) ?? row.projectId, users, nowMs }));
}

/** @throws AppError `resource_not_found` */
export async function oneKeyView(context: AdminContext, { id, workspaceId }: OwnedRef): Promise<ApiKeyView> {
  const found = (await keyViews(context, workspaceId)).find((key) => key.id === id);
  if (!found) throw new AppError('resource_not_found');
  return found;
}
