import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { ApiKeyRow, ConfigStore } from '../store/store.ts';
import type { Principal } from './principal.ts';
import { sameHash, sha256Hex } from './token.ts';

/** Slug of the project that keys get when none is named. */
export const DEFAULT_PROJECT_SLUG = 'default';
/** No key is longer; a longer credential is refused before it is hashed. */
const MAX_KEY_CHARS = 512;

/**
 * Finds who an API key belongs to. A key made for a project sees that project alone; one of the `default` project,
 * which is what a key gets when none was named, and every `admin` key see the whole workspace.
 * @throws AppError `invalid_api_key` or `expired_api_key`
 */
export async function authenticateKey(
  key: string,
  parts: {
    store: Pick<ConfigStore, 'listKeys' | 'listProjects'>;
    clock: Clock;
    firstWorkspaceId: string;
  },
): Promise<Principal> {
  const { store, clock } = parts;
  if (key === '' || key.length > MAX_KEY_CHARS) throw new AppError('invalid_api_key');
  const hash = sha256Hex(key);
  const row = (await store.listKeys(null)).find((candidate) => hasSecret(candidate, hash));
  if (!row || row.revokedAtMs !== null) throw new AppError('invalid_api_key');
  if (isExpired(row, clock.now()) || isReplaced(row, hash, clock.now()))
    throw new AppError('expired_api_key');
  const first = row.workspaceId === parts.firstWorkspaceId;
  if (row.scopes.includes('admin')) return { kind: 'key', key: row, boundProjectId: null, first };
  const project = (await store.listProjects(row.workspaceId)).find(
    (candidate) => candidate.id === row.projectId,
  );
  const wholeWorkspace = project?.slug === DEFAULT_PROJECT_SLUG;
  return { kind: 'key', key: row, boundProjectId: wholeWorkspace ? null : row.projectId, first };
}

const hasSecret = (row: ApiKeyRow, hash: string): boolean =>
  sameHash(row.keyHash, hash) || (row.previous !== null && sameHash(row.previous.keyHash, hash));

/** True when the secret is the one before the last rotation and its overlap has ended. */
const isReplaced = (row: ApiKeyRow, hash: string, nowMs: number): boolean =>
  row.previous !== null && sameHash(row.previous.keyHash, hash) && row.previous.expiresAtMs <= nowMs;

export const isExpired = (row: ApiKeyRow, nowMs: number): boolean =>
  row.expiresAtMs !== null && row.expiresAtMs <= nowMs;
