import type { LimitMeasure, LimitPer, LimitWindow } from '@tallygate/contract/api/limits';
import type { StoreDatabase } from '../dialect.ts';
import type { LimitRow, LimitStore, StoredScopePart } from '../ports/limits.ts';
import type { RateLimitTable } from '../tables/config-tables.ts';
import { listOwned } from './row-changes.ts';

const toRow = (row: RateLimitTable): LimitRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  scope: JSON.parse(row.scope) as StoredScopePart[],
  per: row.counted_per as LimitPer,
  measure: row.measure as LimitMeasure,
  limit: row.limit_amount,
  window: row.window_kind as LimitWindow | null,
  burst: row.burst_amount,
  createdAtMs: row.created_at_ms,
});

/** Limits on requests, tokens and what runs at once. */
export function createLimitStore(database: StoreDatabase): LimitStore {
  const { kysely } = database;
  return {
    listLimits: async (workspaceId) => (await listOwned(database, 'rate_limit', workspaceId)).map(toRow),
    async insertLimit(row) {
      await kysely
        .insertInto('rate_limit')
        .values({
          id: row.id,
          workspace_id: row.workspaceId,
          name: row.name,
          scope: JSON.stringify(row.scope.map(({ kind, value }) => ({ kind, value }))),
          counted_per: row.per,
          measure: row.measure,
          limit_amount: row.limit,
          window_kind: row.window,
          burst_amount: row.burst,
          created_at_ms: row.createdAtMs,
        })
        .execute();
    },
    async updateLimit({ id, workspaceId }, { name, limit, burst }) {
      const result = await kysely
        .updateTable('rate_limit')
        .set({
          ...(name === undefined ? {} : { name }),
          ...(limit === undefined ? {} : { limit_amount: limit }),
          ...(burst === undefined ? {} : { burst_amount: burst }),
        })
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async deleteLimit({ id, workspaceId }) {
      const result = await kysely
        .deleteFrom('rate_limit')
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
