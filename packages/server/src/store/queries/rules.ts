import type { StoreDatabase } from '../dialect.ts';
import type { RuleRow, RuleStore } from '../ports/rules.ts';
import type { RoutingRuleTable } from '../tables/account-tables.ts';
import { defined, unlessTaken } from './row-changes.ts';

const toRow = (row: RoutingRuleTable): RuleRow => ({
  id: row.id,
  workspaceId: row.workspace_id,
  name: row.name,
  enabled: row.enabled === 1,
  conditions: row.conditions,
  actions: row.actions,
  createdAtMs: row.created_at_ms,
});

const takenText = (name: string | undefined): string => `A rule with the name "${name}" exists.`;

function insertRule(database: StoreDatabase, row: RuleRow): Promise<void> {
  return unlessTaken(database, takenText(row.name), () =>
    database.write(async ({ db }) => {
      const last = await db
        .selectFrom('routing_rule')
        .select('position')
        .orderBy('position', 'desc')
        .limit(1)
        .executeTakeFirst();
      const values = {
        id: row.id,
        workspace_id: row.workspaceId,
        name: row.name,
        position: (last?.position ?? 0) + 1,
        enabled: Number(row.enabled),
        conditions: row.conditions,
        actions: row.actions,
        created_at_ms: row.createdAtMs,
      };
      await db.insertInto('routing_rule').values(values).execute();
    }),
  );
}

/** Rules over an open database. */
export function createRuleStore(database: StoreDatabase): RuleStore {
  const { kysely } = database;
  return {
    async listRules(workspaceId) {
      let query = kysely.selectFrom('routing_rule').selectAll();
      if (workspaceId !== null) query = query.where('workspace_id', '=', workspaceId);
      return (await query.orderBy('position').orderBy('id').execute()).map(toRow);
    },
    insertRule: (row) => insertRule(database, row),
    async updateRule(id, { enabled, ...texts }) {
      const set = defined({ ...texts, enabled: enabled === undefined ? undefined : Number(enabled) });
      let found = false;
      await unlessTaken(database, takenText(texts.name), () =>
        database.write(async ({ db }) => {
          const row = await db
            .selectFrom('routing_rule')
            .select('id')
            .where('id', '=', id)
            .executeTakeFirst();
          found = row !== undefined;
          if (found && Object.keys(set).length > 0)
            await db.updateTable('routing_rule').set(set).where('id', '=', id).execute();
        }),
      );
      return found;
    },
    async orderRules(workspaceId, ids) {
      await database.write(async ({ db }) => {
        const rows = await db
          .selectFrom('routing_rule')
          .select(['id', 'position'])
          .where('workspace_id', '=', workspaceId)
          .orderBy('position')
          .orderBy('id')
          .execute();
        const named = ids.filter((id) => rows.some((row) => row.id === id));
        const rest = rows.map((row) => row.id).filter((id) => !named.includes(id));
        for (const [index, id] of [...named, ...rest].entries())
          await db
            .updateTable('routing_rule')
            .set({ position: index + 1 })
            .where('id', '=', id)
            .execute();
      });
    },
    async deleteRule(id) {
      const result = await kysely.deleteFrom('routing_rule').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
