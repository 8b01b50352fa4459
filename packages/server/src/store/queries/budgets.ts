import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { sql } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { BudgetRow, BudgetStore, ModelSpendRow } from '../ports/budgets.ts';
import { type BudgetTable, tokenColumn } from '../schema.ts';
import { listOwned } from './row-changes.ts';

const toRow = (row: BudgetTable): BudgetRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  scopeKind: row.scope_kind,
  scopeValue: row.scope_value,
  measure: row.measure as BudgetMeasure,
  limit: row.limit_amount,
  window: row.window_kind as BudgetWindow,
  timeZone: row.time_zone,
  mode: row.mode as BudgetMode,
  unpriced: row.unpriced as UnpricedPolicy,
  onOutage: row.on_outage as OutagePolicy,
  createdAtMs: row.created_at_ms,
});

const ALL_TOKENS = sql.join(
  TOKEN_BUCKETS.map((bucket) => sql`coalesce(${sql.ref(`e.${tokenColumn(bucket)}`)}, 0)`),
  sql` + `,
);

/** Budgets, and the one sum that the ledger's rollups cannot give: by the model that was asked for. */
export function createBudgetStore(database: StoreDatabase): BudgetStore {
  const { kysely } = database;
  return {
    listBudgets: async (workspaceId) => (await listOwned(database, 'budget', workspaceId)).map(toRow),
    async insertBudget(row) {
      await kysely
        .insertInto('budget')
        .values({
          id: row.id,
          workspace_id: row.workspaceId,
          name: row.name,
          scope_kind: row.scopeKind,
          scope_value: row.scopeValue,
          measure: row.measure,
          limit_amount: row.limit,
          window_kind: row.window,
          time_zone: row.timeZone,
          mode: row.mode,
          unpriced: row.unpriced,
          on_outage: row.onOutage,
          created_at_ms: row.createdAtMs,
        })
        .execute();
    },
    async updateBudget({ id, workspaceId }, { name, limit, mode, unpriced, onOutage }) {
      const result = await kysely
        .updateTable('budget')
        .set({
          ...(name === undefined ? {} : { name }),
          ...(limit === undefined ? {} : { limit_amount: limit }),
          ...(mode === undefined ? {} : { mode }),
          ...(unpriced === undefined ? {} : { unpriced }),
          ...(onOutage === undefined ? {} : { on_outage: onOutage }),
        })
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async deleteBudget({ id, workspaceId }) {
      const result = await kysely
        .deleteFrom('budget')
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    readSpendByModel: (range) => spendByModel(database, range),
  };
}

async function spendByModel(
  { kysely, dialect }: StoreDatabase,
  { workspaceId, fromMs, toMs }: { workspaceId: string; fromMs: number; toMs: number },
): Promise<ModelSpendRow[]> {
  const model = sql<string | null>`coalesce(p.model_requested, e.model_requested)`;
  const rows = await kysely
    .selectFrom('usage_event as e')
    .innerJoin('usage_series as s', 's.id', 'e.series_id')
    .leftJoin('usage_event as p', 'p.id', 'e.parent_id')
    .select([
      model.as('model'),
      dialect.sum(sql`case when e.parent_id is null then 1 else 0 end`).as('requests'),
      dialect.sum(sql`${ALL_TOKENS}`).as('tokens'),
      dialect.asText(sql`sum(e.cost_nano_usd)`).as('cost'),
    ])
    .where('s.workspace_id', '=', workspaceId)
    .where('e.started_at_ms', '>=', fromMs)
    .where('e.started_at_ms', '<', toMs)
    .groupBy(model)
    .execute();
  return rows.map(({ model: name, requests, tokens, cost }) => ({
    model: name,
    requests,
    tokens,
    costNanoUsd: BigInt(cost ?? '0'),
  }));
}
