import type { Migration } from './migration.ts';

/** Budgets over several things at once, windows of so many hours, and a price for what has none. */
export const extendBudgets: Migration = {
  version: 16,
  name: 'budget scopes',
  async up(db) {
    // One statement a column: SQLite adds no more than one at a time.
    await db.schema.alterTable('budget').addColumn('scope', 'text').execute();
    await db.schema.alterTable('budget').addColumn('window_hours', 'bigint').execute();
    await db.schema.alterTable('budget').addColumn('provisional_nano_per_mtok', 'bigint').execute();
  },
};
