import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;
const HASH = 'varchar(64)' as const;

async function createProjects(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('workspace')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('project')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('slug', 'varchar(100)', (column) => column.notNull())
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('disconnect_policy', 'varchar(20)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('project_slug_unique', ['workspace_id', 'slug'])
    .execute();
  await db.schema
    .createTable('api_key')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('project_id', ID, (column) => column.notNull().references('project.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('prefix', 'varchar(40)', (column) => column.notNull())
    .addColumn('key_hash', HASH, (column) => column.notNull().unique())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('last_used_at_ms', 'bigint')
    .execute();
}

async function createAccounts(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('account')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('provider', 'varchar(60)', (column) => column.notNull())
    .addColumn('preset', 'varchar(60)')
    .addColumn('base_url', 'text', (column) => column.notNull())
    .addColumn('sealed_credential', 'text')
    .addColumn('credential_hint', 'varchar(20)')
    .addColumn('allow_private_upstream', 'smallint', (column) => column.notNull())
    .addColumn('models', 'text', (column) => column.notNull())
    .addColumn('priority', 'bigint', (column) => column.notNull())
    .addColumn('paused', 'smallint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint')
    .addUniqueConstraint('account_name_unique', ['workspace_id', 'name'])
    .execute();
  await db.schema
    .createTable('price_override')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('provider', 'varchar(60)', (column) => column.notNull())
    .addColumn('model', 'varchar(200)', (column) => column.notNull())
    .addColumn('valid_from_ms', 'bigint')
    .addColumn('valid_to_ms', 'bigint')
    .addColumn('rates', 'text', (column) => column.notNull())
    .addColumn('note', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('setting')
    .addColumn('name', 'varchar(100)', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
}

async function createIdentity(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('app_user')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('username', 'varchar(200)', (column) => column.notNull().unique())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('role', 'varchar(40)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('session')
    .addColumn('id_hash', HASH, (column) => column.primaryKey())
    .addColumn('user_id', ID, (column) => column.notNull().references('app_user.id').onDelete('cascade'))
    .addColumn('csrf_hash', HASH, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('address', 'varchar(100)')
    .addColumn('user_agent', 'text')
    .execute();
  await db.schema.createIndex('session_user').on('session').column('user_id').execute();
  await db.schema.createIndex('session_expiry').on('session').column('expires_at_ms').execute();
  await db.schema
    .createTable('store_lock')
    .addColumn('name', 'varchar(60)', (column) => column.primaryKey())
    .addColumn('turn', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into store_lock (name, turn) values ('first_user', 0)`.execute(db);
}

export const createConfigTables: Migration = {
  version: 1,
  name: 'config and identity',
  async up(db) {
    await createProjects(db);
    await createAccounts(db);
    await createIdentity(db);
  },
};
