import type { KeyRestrictions, KeyScope } from '@tallygate/contract/api/keys';
import type { StoreDatabase } from '../dialect.ts';
import type { ApiKeyRow, ConfigStore } from '../store.ts';
import type { ApiKeyTable } from '../tables/config-tables.ts';
import { defined, listOwned, unlessTaken, updateOwned } from './row-changes.ts';

export type KeyQueries = Pick<ConfigStore, 'listKeys' | 'insertKey' | 'updateKey' | 'rotateKey'>;

function previousOf(row: ApiKeyTable): ApiKeyRow['previous'] {
  const { previous_key_hash: keyHash, previous_expires_at_ms: expiresAtMs } = row;
  if (keyHash === null || expiresAtMs === null) return null;
  return { keyHash, prefix: row.previous_prefix ?? '', expiresAtMs };
}

const toRow = (row: ApiKeyTable): ApiKeyRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  projectId: row.project_id,
  userId: row.user_id,
  name: row.name,
  prefix: row.prefix,
  keyHash: row.key_hash,
  scopes: JSON.parse(row.scopes) as KeyScope[],
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
  revokedAtMs: row.revoked_at_ms,
  lastUsedAtMs: row.last_used_at_ms,
  kind: (row.kind ?? 'issued') as ApiKeyRow['kind'],
  restrictions: row.restrictions === null ? null : (JSON.parse(row.restrictions) as KeyRestrictions),
  rotatedAtMs: row.rotated_at_ms,
  previous: previousOf(row),
});

type Limits = Pick<ApiKeyTable, 'restrictions'>;
const limitsOf = (value: KeyRestrictions | null): Limits => ({
  restrictions: value === null ? null : JSON.stringify(value),
});

type Secret = Pick<
  ApiKeyTable,
  'key_hash' | 'prefix' | 'rotated_at_ms' | 'previous_key_hash' | 'previous_prefix' | 'previous_expires_at_ms'
>;
const secretOf = (row: Pick<ApiKeyRow, 'keyHash' | 'prefix' | 'rotatedAtMs' | 'previous'>): Secret => ({
  key_hash: row.keyHash,
  prefix: row.prefix,
  rotated_at_ms: row.rotatedAtMs,
  previous_key_hash: row.previous?.keyHash ?? null,
  previous_prefix: row.previous?.prefix ?? null,
  previous_expires_at_ms: row.previous?.expiresAtMs ?? null,
});

/** API keys; of their secrets only hashes. */
export function createKeyQueries(database: StoreDatabase): KeyQueries {
  const { kysely } = database;
  return {
    listKeys: async (workspaceId) => (await listOwned(database, 'api_key', workspaceId)).map(toRow),
    insertKey: (row) =>
      unlessTaken(database, 'This API key exists.', () =>
        kysely
          .insertInto('api_key')
          .values({
            id: row.id,
            workspace_id: row.workspaceId,
            project_id: row.projectId,
            user_id: row.userId,
            name: row.name,
            scopes: JSON.stringify(row.scopes),
            created_at_ms: row.createdAtMs,
            expires_at_ms: row.expiresAtMs,
            revoked_at_ms: row.revokedAtMs,
            last_used_at_ms: row.lastUsedAtMs,
            kind: row.kind,
            ...limitsOf(row.restrictions),
            ...secretOf(row),
          })
          .execute(),
      ),
    updateKey: (ref, change) =>
      updateOwned(
        database,
        'api_key',
        ref,
        defined({
          name: change.name,
          revoked_at_ms: change.revokedAtMs,
          expires_at_ms: change.expiresAtMs,
          user_id: change.userId,
          ...(change.restrictions === undefined ? {} : limitsOf(change.restrictions)),
        }),
      ),
    async rotateKey({ id, workspaceId }, from, change) {
      const result = await kysely
        .updateTable('api_key')
        .set(secretOf(change))
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .where('key_hash', '=', from)
        .where('revoked_at_ms', 'is', null)
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows > 0n;
    },
  };
}
