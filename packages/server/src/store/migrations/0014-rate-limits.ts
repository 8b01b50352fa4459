import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

export const createRateLimitTable: Migration = {
  version: 14,
  name: 'rate limits and owners of keys',
  async up(db) {
    await db.schema
      .createTable('rate_limit')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
      .addColumn('name', 'varchar(200)', (column) => column.notNull())
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('counted_per', 'varchar(20)', (column) => column.notNull())
      .addColumn('measure', 'varchar(40)', (column) => column.notNull())
      .addColumn('limit_amount', 'bigint', (column) => column.notNull())
      .addColumn('window_kind', 'varchar(20)')
      .addColumn('burst_amount', 'bigint')
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    // Whose key it is: limits and budgets of people count its requests.
    await db.schema.alterTable('api_key').addColumn('user_id', ID).execute();
  },
};
