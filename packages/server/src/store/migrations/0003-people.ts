import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;
const HASH = 'varchar(64)' as const;

async function createRoles(db: Kysely<Schema>): Promise<void> {
  await db.schema.alterTable('app_user').addColumn('disabled_at_ms', 'bigint').execute();
  await db.schema
    .createTable('custom_role')
    .addColumn('name', 'varchar(40)', (column) => column.primaryKey())
    .addColumn('permissions', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('entry_link')
    .addColumn('id', ID, (column) => column.primaryKey())
    .addColumn('code_hash', HASH, (column) => column.notNull().unique())
    .addColumn('role', 'varchar(40)')
    .addColumn('user_id', ID, (column) => column.references('app_user.id').onDelete('cascade'))
    .addColumn('note', 'varchar(200)')
    .addColumn('created_by', ID)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('entry_link_user').on('entry_link').column('user_id').execute();
  await sql`insert into store_lock (name, turn) values ('people', 0)`.execute(db);
}

async function createSecondFactors(db: Kysely<Schema>): Promise<void> {
  await db.schema.alterTable('session').addColumn('second_factor_tries', 'bigint').execute();
  await db.schema
    .createTable('user_totp')
    .addColumn('user_id', ID, (column) => column.primaryKey().references('app_user.id').onDelete('cascade'))
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('confirmed_at_ms', 'bigint')
    .addColumn('last_step', 'bigint', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('recovery_code')
    .addColumn('user_id', ID, (column) => column.notNull().references('app_user.id').onDelete('cascade'))
    .addColumn('code_hash', HASH, (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .addPrimaryKeyConstraint('recovery_code_key', ['user_id', 'code_hash'])
    .execute();
}

export const createPeopleTables: Migration = {
  version: 3,
  name: 'people',
  async up(db) {
    await createRoles(db);
    await createSecondFactors(db);
  },
};
