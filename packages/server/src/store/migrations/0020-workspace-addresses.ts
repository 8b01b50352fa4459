import type { Migration } from './migration.ts';

export const addWorkspaceAddresses: Migration = {
  version: 20,
  name: 'addresses of workspaces',
  async up(db) {
    await db.schema.alterTable('workspace').addColumn('allowed_addresses', 'text').execute();
  },
};
