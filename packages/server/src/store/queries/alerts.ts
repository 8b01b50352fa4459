import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { AlertStateRow, AlertStore } from '../ports/alerts.ts';
import type { Schema } from '../schema.ts';
import type { AlertRuleTable } from '../tables/alert-tables.ts';
import { createAlertChannelQueries } from './alert-channels.ts';
import { createDeliveryQueries, deliveryValues } from './alert-deliveries.ts';
import { eventRow, eventValues, ruleRow, ruleValues, stateRow, stateValues } from './alert-rows.ts';
import { holdsFence } from './fence.ts';

type Rules = Pick<AlertStore, 'listAlertRules' | 'insertAlertRule' | 'updateAlertRule' | 'deleteAlertRule'>;
type Edges = Pick<AlertStore, 'listAlertStates' | 'recordAlertEdge' | 'touchAlertStates'>;
type Events = Pick<AlertStore, 'listAlertEvents' | 'findAlertEvents' | 'deleteAlertEvents'>;

function rules({ kysely }: StoreDatabase): Rules {
  return {
    async listAlertRules(workspaceId) {
      const all = kysely.selectFrom('alert_rule').selectAll().orderBy('created_at_ms').orderBy('id');
      const rows = await (workspaceId === null ? all : all.where('workspace_id', '=', workspaceId)).execute();
      return rows.map(ruleRow);
    },
    async insertAlertRule(row) {
      const fixed = { id: row.id, workspace_id: row.workspaceId, created_at_ms: row.createdAtMs };
      await kysely
        .insertInto('alert_rule')
        .values({ ...(ruleValues(row) as AlertRuleTable), ...fixed })
        .execute();
    },
    async updateAlertRule(id, change) {
      const set = ruleValues(change);
      if (Object.keys(set).length === 0) {
        const found = await kysely.selectFrom('alert_rule').select('id').where('id', '=', id).execute();
        return found.length > 0;
      }
      const result = await kysely.updateTable('alert_rule').set(set).where('id', '=', id).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async deleteAlertRule(id) {
      const result = await kysely.deleteFrom('alert_rule').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

/** True when the state was as it was read and now is as it should be. */
async function replaceState(
  db: Kysely<Schema>,
  before: AlertStateRow | null,
  after: AlertStateRow,
): Promise<boolean> {
  if (before === null) {
    await db.insertInto('alert_state').values(stateValues(after)).execute();
    return true;
  }
  const result = await db
    .updateTable('alert_state')
    .set(stateValues(after))
    .where('rule_id', '=', before.ruleId)
    .where('subject', '=', before.subject)
    .where('version', '=', before.version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function edges(database: StoreDatabase): Edges {
  const { kysely, dialect } = database;
  return {
    listAlertStates: async () =>
      (
        await kysely.selectFrom('alert_state').selectAll().orderBy('rule_id').orderBy('subject').execute()
      ).map(stateRow),
    async recordAlertEdge({ before, after, event, deliveries, fence = null }) {
      try {
        return await database.write(async ({ db }) => {
          if (fence !== null && !(await holdsFence(db, fence))) return false;
          if (!(await replaceState(db, before, after))) return false;
          if (event !== null) await db.insertInto('alert_event').values(eventValues(event)).execute();
          if (deliveries.length > 0)
            await db.insertInto('alert_delivery').values(deliveries.map(deliveryValues)).execute();
          return true;
        });
      } catch (error) {
        if (dialect.isUniqueViolation(error)) return false; // another process made the same edge first
        throw error;
      }
    },
    async touchAlertStates(states, atMs) {
      if (states.length === 0) return;
      await database.write(async ({ db }) => {
        for (const { ruleId, subject } of states) {
          await db
            .updateTable('alert_state')
            .set({ last_seen_at_ms: atMs })
            .where('rule_id', '=', ruleId)
            .where('subject', '=', subject)
            .where('last_seen_at_ms', '<', atMs)
            .execute();
        }
      });
    },
  };
}

function events(database: StoreDatabase): Events {
  const { kysely } = database;
  return {
    async listAlertEvents({ workspaceId, ruleId, environment, beforeMs, limit }) {
      let query = kysely.selectFrom('alert_event').selectAll();
      if (workspaceId !== null) query = query.where('workspace_id', '=', workspaceId);
      if (ruleId !== undefined) query = query.where('rule_id', '=', ruleId);
      if (environment !== undefined) query = query.where('environment', '=', environment);
      if (beforeMs !== undefined) query = query.where('at_ms', '<', beforeMs);
      const rows = await query.orderBy('at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(eventRow);
    },
    async findAlertEvents(ids) {
      if (ids.length === 0) return [];
      const rows = await kysely
        .selectFrom('alert_event')
        .selectAll()
        .where('id', 'in', [...ids])
        .execute();
      return rows.map(eventRow);
    },
    async deleteAlertEvents(beforeMs, limit, fence = null) {
      return database.write(async ({ db }) => {
        if (fence !== null && !(await holdsFence(db, fence))) return 0;
        const old = await db
          .selectFrom('alert_event as e')
          .select('e.id')
          .where('e.at_ms', '<', beforeMs)
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('alert_delivery as d')
                  .select('d.id')
                  .whereRef('d.event_id', '=', 'e.id')
                  .where('d.status', '=', 'pending'),
              ),
            ),
          )
          .orderBy('e.at_ms')
          .limit(limit)
          .execute();
        const ids = old.map((row) => row.id);
        if (ids.length > 0) await db.deleteFrom('alert_event').where('id', 'in', ids).execute();
        return ids.length;
      });
    },
  };
}

/** Alerts over an open database. */
export function createAlertStore(database: StoreDatabase): AlertStore {
  return {
    ...rules(database),
    ...edges(database),
    ...events(database),
    ...createAlertChannelQueries(database),
    ...createDeliveryQueries(database),
  };
}
