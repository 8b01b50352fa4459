import type { Migration } from './migration.ts';

/** Projects say what their traffic is for (TW-20); what is there already counts as production. */
export const addEnvironments: Migration = {
  version: 10,
  name: 'environments',
  async up(db) {
    await db.schema
      .alterTable('project')
      .addColumn('environment', 'varchar(20)', (column) => column.notNull().defaultTo('production'))
      .execute();
  },
};
