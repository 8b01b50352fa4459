import type { Migration } from './migration.ts';

/** What a budget does while the state that nodes share is out of reach; budgets made before let nothing through then. */
export const addOutagePolicy: Migration = {
  version: 18,
  name: 'outage policy of budgets',
  async up(db) {
    await db.schema
      .alterTable('budget')
      .addColumn('on_outage', 'varchar(20)', (column) => column.notNull().defaultTo('closed'))
      .execute();
  },
};
