import type { Kysely } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

async function createPools(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('pool')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('strategy', 'varchar(40)', (column) => column.notNull())
    .addColumn('notes', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('pool_workspace_name', ['workspace_id', 'name'])
    .execute();
  await db.schema
    .createTable('pool_member')
    .addColumn('pool_id', ID, (column) => column.notNull().references('pool.id').onDelete('cascade'))
    .addColumn('account_id', ID, (column) => column.notNull().references('account.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('pool_member_key', ['pool_id', 'account_id'])
    .execute();
}

async function createRules(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('routing_rule')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('enabled', 'smallint', (column) => column.notNull())
    .addColumn('conditions', 'text', (column) => column.notNull())
    .addColumn('actions', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('routing_rule_workspace_name', ['workspace_id', 'name'])
    .execute();
}

/** How each account fared, hour by hour: made from the attempts in the same transaction as the rows. */
async function createAccountHours(db: Kysely<Schema>, dialect: SqlDialect): Promise<void> {
  let table = db.schema
    .createTable('account_hour')
    .addColumn('account_id', ID, (column) => column.notNull())
    .addColumn('pool_id', ID, (column) => column.notNull())
    .addColumn('bucket_ms', 'bigint', (column) => column.notNull());
  for (const name of ['attempts', 'served', 'limited', 'refused', 'failed', 'sessions_moved']) {
    table = table.addColumn(name, 'bigint', (column) => column.notNull());
  }
  table = table
    .addColumn('cache_lost_tokens', 'bigint', (column) => column.notNull())
    .addColumn('cache_loss_nano_usd', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('account_hour_key', ['account_id', 'pool_id', 'bucket_ms']);
  await dialect.clustered(table).execute();
}

async function extendLedger(db: Kysely<Schema>): Promise<void> {
  const event = (name: string, type: 'bigint' | 'text' | 'varchar(64)') =>
    db.schema.alterTable('usage_event').addColumn(name, type).execute();
  await event('pool_id', ID);
  await event('rule_id', ID);
  await event('rule_changes', 'text');
  await event('cache_lost_tokens', 'bigint');
  await event('cache_loss_nano_usd', 'bigint');
  await db.schema.alterTable('attempt').addColumn('model', 'varchar(200)').execute();
  await db.schema.alterTable('attempt').addColumn('chosen_by', 'varchar(40)').execute();
}

export const addPoolsAndRules: Migration = {
  version: 17,
  name: 'pools and rules',
  async up(db, dialect) {
    await db.schema
      .alterTable('account')
      .addColumn('tier', 'bigint', (column) => column.notNull().defaultTo(1))
      .execute();
    await db.schema.alterTable('account').addColumn('notes', 'text').execute();
    await db.schema.alterTable('account').addColumn('bound_to', 'text').execute();
    await createPools(db);
    await createRules(db);
    await createAccountHours(db, dialect);
    await extendLedger(db);
  },
};
