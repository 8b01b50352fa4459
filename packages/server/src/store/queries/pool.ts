import type { StoreDatabase } from '../dialect.ts';
import type { PoolStore } from '../ports/pool.ts';

/** The pool's state over an open database. */
export function createPoolStore(database: StoreDatabase): PoolStore {
  const { kysely } = database;
  return {
    listAccountStates: async () =>
      (await kysely.selectFrom('account_state').selectAll().orderBy('account_id').execute()).map((row) => ({
        accountId: row.account_id,
        state: row.state,
        updatedAtMs: row.updated_at_ms,
      })),
    async saveAccountStates(rows) {
      if (rows.length === 0) return;
      await database.write(async ({ db: trx }) => {
        const ids = rows.map((row) => row.accountId);
        const known = await trx.selectFrom('account').select('id').where('id', 'in', ids).execute();
        const kept = new Set(known.map((row) => row.id));
        const values = rows
          .filter((row) => kept.has(row.accountId))
          .map((row) => ({ account_id: row.accountId, state: row.state, updated_at_ms: row.updatedAtMs }));
        await trx.deleteFrom('account_state').where('account_id', 'in', ids).execute();
        if (values.length > 0) await trx.insertInto('account_state').values(values).execute();
      });
    },
  };
}
