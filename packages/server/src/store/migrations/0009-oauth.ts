import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

/** Accounts that sign in with OAuth, and leases for what one process does alone. */
export const createOauthTables: Migration = {
  version: 9,
  name: 'oauth accounts and leases',
  async up(db) {
    await db.schema
      .createTable('account_oauth')
      .addColumn('account_id', ID, (column) =>
        column.primaryKey().references('account.id').onDelete('cascade'),
      )
      .addColumn('client', 'text', (column) => column.notNull())
      .addColumn('sealed_secrets', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint')
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addColumn('reauth_reason', 'varchar(100)')
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('oauth_session')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('sealed_payload', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('lease')
      .addColumn('name', 'varchar(100)', (column) => column.primaryKey())
      .addColumn('holder', ID, (column) => column.notNull())
      .addColumn('token', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
