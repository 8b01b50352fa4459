import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

/** Passkeys of people, and how a session was begun. */
export const createPasskeyTable: Migration = {
  version: 12,
  name: 'passkeys',
  async up(db) {
    await db.schema.alterTable('session').addColumn('method', 'varchar(20)').execute();
    await db.schema
      .createTable('passkey')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('user_id', ID, (column) => column.notNull().references('app_user.id').onDelete('cascade'))
      .addColumn('credential_id', 'text', (column) => column.notNull())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('sign_count', 'bigint', (column) => column.notNull())
      .addColumn('transports', 'text', (column) => column.notNull())
      .addColumn('rp_id', 'varchar(255)', (column) => column.notNull())
      .addColumn('name', 'varchar(100)', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('last_used_at_ms', 'bigint')
      .execute();
    await db.schema.createIndex('passkey_user').on('passkey').column('user_id').execute();
  },
};
