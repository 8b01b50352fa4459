import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { ApiKeyRow, ConfigStore } from '../store/store.ts';
import type { Principal } from './principal.ts';
import { sameHash, sha256Hex } from './token.ts';

/** Slug of the project that keys get when none is named. */
export const DEFAULT_PROJECT_SLUG = 'default';
const KEY_FORM = /^tg_[A-Za-z0-9_-]{43}$/;

/**
 * Finds who an API key belongs to. A key made for a project sees that project alone; one of the `default` project,
 * which is what a key gets when none was named, and every `admin` key see the whole workspace.
 * @throws AppError `invalid_api_key` or `expired_api_key`
 */
export async function authenticateKey(
  key: string,
  { store, clock }: { store: Pick<ConfigStore, 'listKeys' | 'listProjects'>; clock: Clock },
): Promise<Principal> {
  if (!KEY_FORM.test(key)) throw new AppError('invalid_api_key');
  const hash = sha256Hex(key);
  const row = (await store.listKeys()).find((candidate) => sameHash(candidate.keyHash, hash));
  if (!row || row.revokedAtMs !== null) throw new AppError('invalid_api_key');
  if (isExpired(row, clock.now())) throw new AppError('expired_api_key');
  if (row.scopes.includes('admin')) return { kind: 'key', key: row, boundProjectId: null };
  const project = (await store.listProjects()).find((candidate) => candidate.id === row.projectId);
  const wholeWorkspace = project?.slug === DEFAULT_PROJECT_SLUG;
  return { kind: 'key', key: row, boundProjectId: wholeWorkspace ? null : row.projectId };
}

export const isExpired = (row: ApiKeyRow, nowMs: number): boolean =>
  row.expiresAtMs !== null && row.expiresAtMs <= nowMs;
