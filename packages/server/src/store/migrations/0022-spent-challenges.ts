import type { Migration } from './migration.ts';

/** Challenges of passkeys that were answered: each counts once, whichever node is asked. New data keys reach the others. */
export const addSpentChallenges: Migration = {
  version: 22,
  name: 'spent challenges',
  async up(db, dialect) {
    await db.schema
      .createTable('spent_challenge')
      .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await dialect.countChanges(db, { table: 'vault_data_key', except: null, counter: 'config' });
  },
};
