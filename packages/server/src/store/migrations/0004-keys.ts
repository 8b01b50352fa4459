import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

/** Limits of a key, the secret a rotation replaced, and where a key that nobody issued came from. */
async function extendKeys(db: Kysely<Schema>): Promise<void> {
  const columns = [
    ['kind', 'varchar(20)'],
    ['restrictions', 'text'],
    ['rotated_at_ms', 'bigint'],
    ['previous_key_hash', 'varchar(64)'],
    ['previous_prefix', 'varchar(40)'],
    ['previous_expires_at_ms', 'bigint'],
  ] as const;
  // One statement a column: SQLite adds no more than one at a time.
  for (const [name, type] of columns) await db.schema.alterTable('api_key').addColumn(name, type).execute();
}

/** Data keys, each wrapped by every master key that may open it. */
async function createVault(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('vault_data_key')
    .addColumn('id', 'varchar(16)', (column) => column.notNull())
    .addColumn('master_key_id', 'varchar(16)', (column) => column.notNull())
    .addColumn('wrapped', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('vault_data_key_primary', ['id', 'master_key_id'])
    .execute();
}

export const extendKeysAndVault: Migration = {
  version: 4,
  name: 'key limits, rotation and data keys',
  async up(db) {
    await extendKeys(db);
    await createVault(db);
  },
};
