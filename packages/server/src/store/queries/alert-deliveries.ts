import type { DeliveryStatus } from '@tallygate/contract/api/alerts';
import type { StoreDatabase } from '../dialect.ts';
import type { AlertStore, ClaimedDelivery, DeliveryAttempt, DeliveryRow } from '../ports/alerts.ts';
import type { AlertDeliveryTable } from '../tables/alert-tables.ts';
import { channelRow } from './alert-channels.ts';
import { eventRow } from './alert-rows.ts';

type Deliveries = Pick<
  AlertStore,
  | 'claimDeliveries'
  | 'releaseDeliveryClaims'
  | 'finishDelivery'
  | 'listDeliveries'
  | 'findDeliveries'
  | 'redeliver'
>;

const deliveryRow = (row: AlertDeliveryTable): DeliveryRow => ({
  id: row.id,
  eventId: row.event_id,
  channelId: row.channel_id,
  status: row.status as DeliveryStatus,
  attempts: row.attempts,
  createdAtMs: row.created_at_ms,
  nextAttemptAtMs: row.next_attempt_at_ms,
  expiresAtMs: row.expires_at_ms,
  finishedAtMs: row.finished_at_ms,
  log: JSON.parse(row.log) as DeliveryAttempt[],
});

/** A new delivery as it is stored: claimed by nobody. */
export const deliveryValues = (row: DeliveryRow): AlertDeliveryTable => ({
  id: row.id,
  event_id: row.eventId,
  channel_id: row.channelId,
  status: row.status,
  attempts: row.attempts,
  created_at_ms: row.createdAtMs,
  next_attempt_at_ms: row.nextAttemptAtMs,
  expires_at_ms: row.expiresAtMs,
  finished_at_ms: row.finishedAtMs,
  claim_token: null,
  claimed_until_ms: 0,
  log: JSON.stringify(row.log),
});

/** With each delivery its event and its channel. */
async function withParts(
  { kysely }: StoreDatabase,
  rows: readonly DeliveryRow[],
): Promise<ClaimedDelivery[]> {
  if (rows.length === 0) return [];
  const eventIds = rows.map((row) => row.eventId);
  const channelIds = rows.map((row) => row.channelId);
  const events = await kysely.selectFrom('alert_event').selectAll().where('id', 'in', eventIds).execute();
  const channels = await kysely
    .selectFrom('alert_channel')
    .selectAll()
    .where('id', 'in', channelIds)
    .execute();
  const eventsById = new Map(events.map((row) => [row.id, eventRow(row)]));
  const channelsById = new Map(channels.map((row) => [row.id, channelRow(row)]));
  return rows.flatMap((delivery) => {
    const event = eventsById.get(delivery.eventId);
    return event === undefined
      ? []
      : [{ delivery, event, channel: channelsById.get(delivery.channelId) ?? null }];
  });
}

async function claimDeliveries(
  database: StoreDatabase,
  { token, nowMs, untilMs, limit }: Parameters<AlertStore['claimDeliveries']>[0],
): Promise<ClaimedDelivery[]> {
  const { kysely } = database;
  const due = await kysely
    .selectFrom('alert_delivery')
    .select('id')
    .where('status', '=', 'pending')
    .where('next_attempt_at_ms', '<=', nowMs)
    .where('claimed_until_ms', '<=', nowMs)
    .orderBy('next_attempt_at_ms')
    .orderBy('id')
    .limit(limit)
    .execute();
  if (due.length === 0) return [];
  const ids = due.map((row) => row.id);
  // The conditions once more: between the reading and here another process may have claimed some of them.
  await kysely
    .updateTable('alert_delivery')
    .set({ claim_token: token, claimed_until_ms: untilMs })
    .where('id', 'in', ids)
    .where('status', '=', 'pending')
    .where('claimed_until_ms', '<=', nowMs)
    .execute();
  const rows = await kysely
    .selectFrom('alert_delivery')
    .selectAll()
    .where('id', 'in', ids)
    .where('claim_token', '=', token)
    .orderBy('next_attempt_at_ms')
    .orderBy('id')
    .execute();
  return withParts(database, rows.map(deliveryRow));
}

/** The outbox. */
export function createDeliveryQueries(database: StoreDatabase): Deliveries {
  const { kysely } = database;
  return {
    claimDeliveries: (claim) => claimDeliveries(database, claim),
    async releaseDeliveryClaims() {
      const result = await kysely
        .updateTable('alert_delivery')
        .set({ claim_token: null, claimed_until_ms: 0 })
        .where('status', '=', 'pending')
        .where('claimed_until_ms', '>', 0)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    async finishDelivery(id, token, outcome) {
      const result = await kysely
        .updateTable('alert_delivery')
        .set({
          status: outcome.status,
          attempts: outcome.attempts,
          next_attempt_at_ms: outcome.nextAttemptAtMs,
          finished_at_ms: outcome.finishedAtMs,
          log: JSON.stringify(outcome.log),
          claim_token: null,
          claimed_until_ms: 0,
        })
        .where('id', '=', id)
        .where('claim_token', '=', token)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async listDeliveries({ workspaceId, status, eventId, beforeMs, limit }) {
      let query = kysely.selectFrom('alert_delivery').selectAll();
      if (workspaceId !== null)
        query = query.where('event_id', 'in', (eb) =>
          eb.selectFrom('alert_event').select('id').where('workspace_id', '=', workspaceId),
        );
      if (status !== undefined) query = query.where('status', '=', status);
      if (eventId !== undefined) query = query.where('event_id', '=', eventId);
      if (beforeMs !== undefined) query = query.where('created_at_ms', '<', beforeMs);
      const rows = await query.orderBy('created_at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(deliveryRow);
    },
    async findDeliveries(ids) {
      if (ids.length === 0) return [];
      const found = await kysely
        .selectFrom('alert_delivery')
        .selectAll()
        .where('id', 'in', [...ids])
        .execute();
      return found.map(deliveryRow);
    },
    async redeliver(id, { nowMs, expiresAtMs }) {
      const result = await kysely
        .updateTable('alert_delivery')
        .set({
          status: 'pending',
          next_attempt_at_ms: nowMs,
          expires_at_ms: expiresAtMs,
          finished_at_ms: null,
        })
        .where('id', '=', id)
        .where('status', '!=', 'pending')
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
