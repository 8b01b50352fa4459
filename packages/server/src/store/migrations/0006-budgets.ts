import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

export const createBudgetTable: Migration = {
  version: 6,
  name: 'budgets',
  async up(db) {
    await db.schema
      .createTable('budget')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
      .addColumn('name', 'varchar(200)', (column) => column.notNull())
      .addColumn('scope_kind', 'varchar(20)', (column) => column.notNull())
      .addColumn('scope_value', 'varchar(300)', (column) => column.notNull())
      .addColumn('measure', 'varchar(20)', (column) => column.notNull())
      .addColumn('limit_amount', 'bigint', (column) => column.notNull())
      .addColumn('window_kind', 'varchar(20)', (column) => column.notNull())
      .addColumn('time_zone', 'varchar(64)', (column) => column.notNull())
      .addColumn('mode', 'varchar(20)', (column) => column.notNull())
      .addColumn('unpriced', 'varchar(20)', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
