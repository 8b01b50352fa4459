import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AppError } from '../kernel/errors.ts';
import type { ApiKeyRow, ProjectRow } from '../store/store.ts';
import { authenticateKey, isExpired } from './key-lookup.ts';
import { createApiKey, sha256Hex } from './token.ts';

const NOW_MS = 1_000_000;
const made = (): { secret: string; hash: string } => {
  const { key, hash } = createApiKey(randomBytes);
  return { secret: key.reveal(), hash };
};

function row(keyHash: string, change: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    id: `id of ${keyHash.slice(0, 6)}`,
    workspaceId: 'first',
    projectId: 'p-default',
    userId: null,
    name: 'k',
    prefix: 'tg_',
    keyHash,
    scopes: ['read'],
    createdAtMs: 1,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
    kind: 'issued',
    restrictions: null,
    rotatedAtMs: null,
    previous: null,
    ...change,
  };
}

const project = (id: string, workspaceId: string, slug: string): ProjectRow => ({
  id,
  workspaceId,
  slug,
  name: slug,
  disconnectPolicy: 'abort',
  environment: 'production',
  createdAtMs: 1,
});
const PROJECTS = [
  project('p-default', 'first', 'default'),
  project('p-mobile', 'first', 'mobile'),
  project('p-other-default', 'second', 'default'),
];

function find(secret: string, rows: ApiKeyRow[], nowMs = NOW_MS) {
  const store = {
    listKeys: async () => rows,
    listProjects: async (workspaceId: string | null) =>
      PROJECTS.filter((one) => workspaceId === null || one.workspaceId === workspaceId),
  };
  const clock = { now: () => nowMs, monotonicMs: () => nowMs };
  return authenticateKey(secret, { store, clock, firstWorkspaceId: 'first' });
}
/** The code of the refusal, or `in`. */
const verdict = (...given: Parameters<typeof find>): Promise<string> =>
  find(...given).then(
    () => 'in',
    (error: AppError) => error.code,
  );

describe('finding whose key it is (TW-05, TW-07)', () => {
  it('is the one whose secret it is, of any number', async () => {
    const keys = Array.from({ length: 20 }, made);
    const rows = keys.map(({ hash }) => row(hash));
    for (const [index, { secret }] of keys.entries())
      expect(await find(secret, rows)).toMatchObject({ kind: 'key', key: { id: rows[index]?.id } });
    expect(await verdict(made().secret, rows)).toBe('invalid_api_key');
  });

  it('is nobody for a hash, a part, another case, what stands around it, and what is too long to be one', async () => {
    const { secret, hash } = made();
    const long = `tg_${'x'.repeat(510)}`;
    const rows = [row(hash), row(sha256Hex('')), row(sha256Hex(long))];
    for (const text of [
      '',
      hash,
      secret.slice(0, -1),
      `${secret} `,
      secret.toUpperCase(),
      secret.slice(3),
      long,
    ])
      expect([text, await verdict(text, rows)]).toEqual([text, 'invalid_api_key']);
    const longest = `tg_${'x'.repeat(509)}`;
    expect(await verdict(longest, [row(sha256Hex(longest))])).toBe('in');
  });

  it('is over with its expiry and its revocation, to the millisecond', async () => {
    const { secret, hash } = made();
    const at = (change: Partial<ApiKeyRow>) => verdict(secret, [row(hash, change)]);
    expect(await at({ expiresAtMs: NOW_MS + 1 })).toBe('in');
    expect(await at({ expiresAtMs: NOW_MS })).toBe('expired_api_key');
    expect(await at({ expiresAtMs: 0 })).toBe('expired_api_key');
    expect(await at({ revokedAtMs: NOW_MS + 10_000 })).toBe('invalid_api_key');
    // Whoever revoked it does not learn from the answer that it would have ended anyway.
    expect(await at({ revokedAtMs: 1, expiresAtMs: 1 })).toBe('invalid_api_key');
    expect(isExpired(row(hash), Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('takes the secret before a rotation until its overlap ends, and the new one all along', async () => {
    const [old, fresh] = [made(), made()];
    const rotated = row(fresh.hash, {
      previous: { keyHash: old.hash, prefix: 'tg_', expiresAtMs: NOW_MS + 1 },
    });
    expect(await verdict(old.secret, [rotated])).toBe('in');
    expect(await verdict(old.secret, [rotated], NOW_MS + 1)).toBe('expired_api_key');
    expect(await verdict(fresh.secret, [rotated], NOW_MS + 1)).toBe('in');
    expect(await verdict(old.secret, [{ ...rotated, revokedAtMs: 1 }])).toBe('invalid_api_key');
    expect(await verdict(old.secret, [{ ...rotated, expiresAtMs: NOW_MS }])).toBe('expired_api_key');
  });
});

describe('what a key sees (TW-07)', () => {
  const seen = async (change: Partial<ApiKeyRow>) => {
    const { secret, hash } = made();
    const principal = await find(secret, [row(hash, change)]);
    return principal.kind === 'key' ? [principal.boundProjectId, principal.first] : null;
  };

  it('is its own project, but for the default one, which is what no project was named for', async () => {
    expect(await seen({ projectId: 'p-mobile' })).toEqual(['p-mobile', true]);
    expect(await seen({ projectId: 'p-default' })).toEqual([null, true]);
  });

  it('is the whole workspace with the scope admin, whatever its project', async () => {
    expect(await seen({ projectId: 'p-mobile', scopes: ['admin'] })).toEqual([null, true]);
    expect(await seen({ projectId: 'p-mobile', scopes: ['read', 'admin'] })).toEqual([null, true]);
  });

  it('is never more because its project is gone or is called the same in another workspace', async () => {
    expect(await seen({ projectId: 'p-gone' })).toEqual(['p-gone', true]);
    expect(await seen({ projectId: 'p-other-default' })).toEqual(['p-other-default', true]);
  });

  it('is marked as of the first workspace or of another', async () => {
    const second = { workspaceId: 'second', projectId: 'p-other-default' };
    expect(await seen(second)).toEqual([null, false]);
    expect(await seen({ ...second, scopes: ['admin'] })).toEqual([null, false]);
  });
});
