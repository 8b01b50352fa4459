import { foldUsernames } from '../queries/fold-usernames.ts';
import type { Migration } from './migration.ts';

/** One user name, whatever its case. The start that finds who was renamed records it and tells the operator. */
export const addFoldedUsernames: Migration = {
  version: 25,
  name: 'user names without case',
  async up(db) {
    await db.schema.alterTable('app_user').addColumn('username_folded', 'varchar(200)').execute();
    await foldUsernames(db);
    await db.schema
      .createIndex('app_user_folded')
      .unique()
      .on('app_user')
      .column('username_folded')
      .execute();
  },
};
