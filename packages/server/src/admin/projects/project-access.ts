import { AppError } from '../../kernel/errors.ts';
import type { ProjectRow } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';

type Parts = Pick<AdminDeps, 'store' | 'clock' | 'newId'>;

/**
 * The workspace's project with this slug, created when there is none. Two callers who ask for the same new one at the same
 * time get the same project.
 */
export async function ensureProject(parts: Parts, workspaceId: string, slug: string): Promise<ProjectRow> {
  const find = async (): Promise<ProjectRow | undefined> =>
    (await parts.store.config.listProjects(workspaceId)).find((row) => row.slug === slug);
  const known = await find();
  if (known) return known;
  const row = newProject(parts, workspaceId, slug);
  try {
    await parts.store.config.insertProject(row);
    return row;
  } catch (error) {
    const other = error instanceof AppError && error.code === 'name_taken' ? await find() : undefined;
    if (other) return other;
    throw error;
  }
}

/** A project row with the defaults; nothing is stored. */
export function newProject(
  parts: Pick<Parts, 'clock' | 'newId'>,
  workspaceId: string,
  slug: string,
): ProjectRow {
  return {
    id: parts.newId(),
    workspaceId,
    slug,
    name: slug,
    disconnectPolicy: 'abort',
    environment: 'production',
    createdAtMs: parts.clock.now(),
  };
}
