import type { Migration } from './migration.ts';

export const createPoolTables: Migration = {
  version: 8,
  name: 'account pool',
  async up(db) {
    await db.schema
      .alterTable('account')
      .addColumn('weight', 'bigint', (column) => column.notNull().defaultTo(1))
      .execute();
    await db.schema
      .createTable('account_state')
      .addColumn('account_id', 'varchar(64)', (column) =>
        column.primaryKey().references('account.id').onDelete('cascade'),
      )
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
