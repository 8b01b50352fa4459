import type {
  BudgetMeasure,
  BudgetMode,
  BudgetWindow,
  OutagePolicy,
  UnpricedPolicy,
} from '@tallygate/contract/api/budgets';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { type RawBuilder, sql } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { BudgetRow, BudgetStore, ModelSpendRow, RefundedRow, SpendQuestion } from '../ports/budgets.ts';
import type { StoredScopePart } from '../ports/limits.ts';
import { tokenColumn } from '../tables/column-names.ts';
import type { BudgetTable } from '../tables/config-tables.ts';
import { defined, listOwned } from './row-changes.ts';

function scopeOf(row: BudgetTable): StoredScopePart[] {
  if (row.scope !== null) return JSON.parse(row.scope) as StoredScopePart[];
  return row.scope_kind === 'workspace' ? [] : [{ kind: row.scope_kind, value: row.scope_value }];
}

const toRow = (row: BudgetTable): BudgetRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  scope: scopeOf(row),
  measure: row.measure as BudgetMeasure,
  limit: row.limit_amount,
  window: row.window_kind as BudgetWindow,
  windowHours: row.window_hours,
  sliding: row.sliding === 1,
  timeZone: row.time_zone,
  mode: row.mode as BudgetMode,
  unpriced: row.unpriced as UnpricedPolicy,
  onOutage: row.on_outage as OutagePolicy,
  provisionalNanoUsdPerMtok: row.provisional_nano_per_mtok,
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
          // Superseded by `scope`; both may not be null.
          scope_kind: row.scope.length === 0 ? 'workspace' : 'parts',
          scope_value: '',
          scope: JSON.stringify(row.scope.map(({ kind, value }) => ({ kind, value }))),
          measure: row.measure,
          limit_amount: row.limit,
          window_kind: row.window,
          window_hours: row.windowHours,
          sliding: row.sliding ? 1 : 0,
          time_zone: row.timeZone,
          mode: row.mode,
          unpriced: row.unpriced,
          on_outage: row.onOutage,
          provisional_nano_per_mtok: row.provisionalNanoUsdPerMtok,
          created_at_ms: row.createdAtMs,
        })
        .execute();
    },
    async updateBudget(
      { id, workspaceId },
      { name, limit, mode, unpriced, onOutage, provisionalNanoUsdPerMtok },
    ) {
      const result = await kysely
        .updateTable('budget')
        .set(
          defined({
            name,
            limit_amount: limit,
            mode,
            unpriced,
            on_outage: onOutage,
            provisional_nano_per_mtok: provisionalNanoUsdPerMtok,
          }),
        )
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
    readSpendByModel: (question) => spendByModel(database, question),
    readRefunded: (question) => refunded(database, question),
  };
}

/** Columns of `usage_series` by what is asked. */
const SERIES_COLUMNS = {
  projectId: 'project_id',
  apiKeyId: 'api_key_id',
  userId: 'user_id',
  provider: 'provider',
  accountId: 'account_id',
} as const;

function conditionsOf(question: SpendQuestion): RawBuilder<unknown>[] {
  const parts: RawBuilder<unknown>[] = [];
  for (const [name, column] of Object.entries(SERIES_COLUMNS)) {
    const value = question[name as keyof typeof SERIES_COLUMNS];
    if (value !== undefined) parts.push(sql`${sql.ref(`s.${column}`)} = ${value}`);
  }
  if (question.sessionId !== undefined) parts.push(sql`e.session_id = ${question.sessionId}`);
  for (const tag of question.tags ?? [])
    parts.push(sql`exists (select 1 from event_tag t where t.ledger_seq = e.ledger_seq and t.tag = ${tag})`);
  return parts;
}

async function spendByModel(
  { kysely, dialect }: StoreDatabase,
  question: SpendQuestion,
): Promise<ModelSpendRow[]> {
  const { workspaceId, fromMs, toMs } = question;
  const model = sql<string | null>`coalesce(p.model_requested, e.model_requested)`;
  const rows = await kysely
    .selectFrom('usage_event as e')
    .innerJoin('usage_series as s', 's.id', 'e.series_id')
    .leftJoin('usage_event as p', 'p.id', 'e.parent_id')
    .select([
      model.as('model'),
      dialect.sum(sql`case when e.parent_id is null then 1 else 0 end`).as('requests'),
      dialect.sum(sql`${ALL_TOKENS}`).as('tokens'),
      dialect.sum(sql`coalesce(e.weighted_tokens, 0)`).as('weighted'),
      dialect.sum(sql`case when e.price_status = 'unpriced' then ${ALL_TOKENS} else 0 end`).as('unpriced'),
      dialect.asText(sql`sum(e.cost_nano_usd)`).as('cost'),
    ])
    .where('s.workspace_id', '=', workspaceId)
    .where('e.started_at_ms', '>=', fromMs)
    .where('e.started_at_ms', '<', toMs)
    .where(sql<boolean>`${sql.join([sql`1 = 1`, ...conditionsOf(question)], sql` and `)}`)
    .groupBy(model)
    .execute();
  return rows.map(({ model: name, requests, tokens, weighted, unpriced, cost }) => ({
    model: name,
    requests,
    tokens,
    weightedTokens: weighted,
    unpricedTokens: unpriced,
    costNanoUsd: BigInt(cost ?? '0'),
  }));
}

async function refunded({ kysely, dialect }: StoreDatabase, question: SpendQuestion): Promise<RefundedRow[]> {
  const { workspaceId, fromMs, toMs } = question;
  const rows = await kysely
    .selectFrom('usage_event as e')
    .innerJoin('usage_series as s', 's.id', 'e.series_id')
    .select(['e.model_requested', 's.api_key_id', dialect.sum(sql`1`).as('requests')])
    .where('s.workspace_id', '=', workspaceId)
    // As it stands in the index: a parameter would not be known to be this value.
    .where(sql<boolean>`e.settle_status = 'refunded'`)
    .where('e.parent_id', 'is', null)
    .where('e.started_at_ms', '>=', fromMs)
    .where('e.started_at_ms', '<', toMs)
    .where(sql<boolean>`${sql.join([sql`1 = 1`, ...conditionsOf(question)], sql` and `)}`)
    .groupBy(['e.model_requested', 's.api_key_id'])
    .execute();
  return rows.map((row) => ({
    model: row.model_requested,
    apiKeyId: row.api_key_id,
    requests: row.requests,
  }));
}
