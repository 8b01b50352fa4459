import type { Migration } from './migration.ts';

/** Budgets whose window slides; those made before start anew as they did. */
export const addSlidingBudgets: Migration = {
  version: 23,
  name: 'sliding budgets',
  async up(db) {
    await db.schema
      .alterTable('budget')
      .addColumn('sliding', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
