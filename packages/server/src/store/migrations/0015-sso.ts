import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

/** Users known through an identity provider. */
export const createSsoTable: Migration = {
  version: 15,
  name: 'single sign-on',
  async up(db) {
    await db.schema
      .createTable('sso_identity')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('user_id', ID, (column) =>
        column.notNull().unique().references('app_user.id').onDelete('cascade'),
      )
      .addColumn('issuer', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('managed', 'bigint', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('last_used_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
