import type { Migration } from './migration.ts';

/** Accounts remember which public keys their upstream may have. */
export const addAccountPins: Migration = {
  version: 7,
  name: 'account pins',
  async up(db) {
    await db.schema.alterTable('account').addColumn('pin_sha256', 'text').execute();
  },
};
