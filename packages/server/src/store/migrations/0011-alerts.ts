import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;
const WORD = 'varchar(20)' as const;
const SUBJECT = 'varchar(300)' as const;

async function createRules(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('alert_rule')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('environment', WORD)
    .addColumn('severity', WORD, (column) => column.notNull())
    .addColumn('filter', 'text', (column) => column.notNull())
    .addColumn('condition_json', 'text', (column) => column.notNull())
    .addColumn('channel_ids', 'text', (column) => column.notNull())
    .addColumn('cooldown_ms', 'bigint', (column) => column.notNull())
    .addColumn('notify_recovery', 'bigint', (column) => column.notNull())
    .addColumn('enabled', 'bigint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('alert_state')
    .addColumn('rule_id', ID, (column) => column.notNull().references('alert_rule.id').onDelete('cascade'))
    .addColumn('subject', SUBJECT, (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('firing', 'bigint', (column) => column.notNull())
    .addColumn('since_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_fired_at_ms', 'bigint')
    .addColumn('last_seen_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('alert_state_pk', ['rule_id', 'subject'])
    .execute();
}

async function createEvents(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('alert_event')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull())
    .addColumn('rule_id', ID)
    .addColumn('rule_name', 'varchar(200)', (column) => column.notNull())
    .addColumn('subject', SUBJECT, (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('state', WORD, (column) => column.notNull())
    .addColumn('severity', WORD, (column) => column.notNull())
    .addColumn('environment', WORD)
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('since_ms', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    // The guarantee of "once": whatever processes do, an edge of a subject has one event.
    .addUniqueConstraint('alert_event_edge', ['rule_id', 'subject', 'version'])
    .execute();
  await db.schema.createIndex('alert_event_at').on('alert_event').column('at_ms').execute();
  await db.schema
    .createTable('alert_channel')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('kind', WORD, (column) => column.notNull())
    .addColumn('config', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text')
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('allow_private', 'bigint', (column) => column.notNull())
    .addColumn('template', 'text')
    .addColumn('enabled', 'bigint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('alert_channel_name', ['workspace_id', 'name'])
    .execute();
}

async function createDeliveries(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('alert_delivery')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('event_id', ID, (column) => column.notNull().references('alert_event.id').onDelete('cascade'))
    .addColumn('channel_id', ID, (column) => column.notNull())
    .addColumn('status', WORD, (column) => column.notNull())
    .addColumn('attempts', 'bigint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('next_attempt_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .addColumn('claim_token', ID)
    .addColumn('claimed_until_ms', 'bigint', (column) => column.notNull())
    .addColumn('log', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('alert_delivery_due')
    .on('alert_delivery')
    .columns(['status', 'next_attempt_at_ms'])
    .execute();
  await db.schema.createIndex('alert_delivery_event').on('alert_delivery').column('event_id').execute();
  await db.schema
    .createIndex('alert_delivery_created')
    .on('alert_delivery')
    .column('created_at_ms')
    .execute();
}

/** Rules, their states and events, channels, and the outbox of deliveries (TW-16). */
export const createAlertTables: Migration = {
  version: 11,
  name: 'alerts',
  async up(db) {
    await createRules(db);
    await createEvents(db);
    await createDeliveries(db);
  },
};
