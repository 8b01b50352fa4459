import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

/** The processes that share the store right now, and the jobs that one of them does for all. */
export const addNodesAndJobs: Migration = {
  version: 24,
  name: 'nodes and jobs',
  async up(db) {
    await db.schema
      .createTable('node')
      .addColumn('id', ID, (column) => column.primaryKey())
      .addColumn('process', ID, (column) => column.notNull())
      .addColumn('roles', 'varchar(100)', (column) => column.notNull())
      .addColumn('counts_in', 'varchar(20)', (column) => column.notNull())
      .addColumn('version', 'varchar(50)', (column) => column.notNull())
      .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('job')
      .addColumn('name', 'varchar(100)', (column) => column.primaryKey())
      .addColumn('runs', 'bigint', (column) => column.notNull())
      .addColumn('node', ID, (column) => column.notNull())
      .addColumn('token', 'bigint', (column) => column.notNull())
      .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('ended_at_ms', 'bigint')
      .addColumn('failed', 'integer', (column) => column.notNull())
      .execute();
  },
};
