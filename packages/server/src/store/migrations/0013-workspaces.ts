import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;

/** Until now a user had one role in the one workspace: it becomes the user's membership there. */
async function moveRoles(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('membership')
    .addColumn('user_id', ID, (column) => column.notNull().references('app_user.id').onDelete('cascade'))
    .addColumn('workspace_id', ID, (column) => column.notNull().references('workspace.id'))
    .addColumn('role', 'varchar(40)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('membership_key', ['user_id', 'workspace_id'])
    .execute();
  await db.schema
    .createIndex('membership_workspace')
    .on('membership')
    .columns(['workspace_id', 'role'])
    .execute();
  const home = sql`(select id from workspace order by created_at_ms, id limit 1)`;
  await sql`insert into membership (user_id, workspace_id, role, created_at_ms)
    select id, ${home}, role, created_at_ms from app_user`.execute(db);
  await db.schema.alterTable('app_user').dropColumn('role').execute();
  await db.schema.alterTable('entry_link').addColumn('workspace_id', ID).execute();
  await sql`update entry_link set workspace_id = ${home} where role is not null`.execute(db);
}

export const createWorkspaces: Migration = {
  version: 13,
  name: 'workspaces and memberships',
  async up(db) {
    await db.schema
      .alterTable('workspace')
      .addColumn('slug', 'varchar(63)', (column) => column.notNull().defaultTo('default'))
      .execute();
    await db.schema.createIndex('workspace_slug').unique().on('workspace').column('slug').execute();
    await moveRoles(db);
    await db.schema.alterTable('session').addColumn('workspace_id', ID).execute();
    await db.schema.alterTable('audit_entry').addColumn('workspace_id', ID).execute();
    await db.schema
      .createIndex('audit_entry_workspace')
      .on('audit_entry')
      .columns(['workspace_id', 'seq'])
      .execute();
  },
};
