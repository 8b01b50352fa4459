import type { StoreDatabase } from '../dialect.ts';
import type { LeaseStore } from '../ports/leases.ts';

/** Leases over an open database: each step is one statement, so that any number of processes may race. */
export function createLeaseStore(database: StoreDatabase): LeaseStore {
  const { kysely } = database;

  async function insertFirst(name: string, holder: string, expiresAtMs: number): Promise<boolean> {
    try {
      const values = { name, holder, token: 1, expires_at_ms: expiresAtMs };
      await kysely.insertInto('lease').values(values).execute();
      return true;
    } catch (error) {
      if (database.dialect.isUniqueViolation(error)) return false; // somebody was faster
      throw error;
    }
  }

  return {
    async acquireLease(name, { holder, nowMs, expiresAtMs }) {
      const taken = await kysely
        .updateTable('lease')
        .set((eb) => ({ holder, token: eb('token', '+', 1), expires_at_ms: expiresAtMs }))
        .where('name', '=', name)
        .where('expires_at_ms', '<=', nowMs)
        .executeTakeFirst();
      if (taken.numUpdatedRows === 0n) {
        // Asked for first: those who wait for their turn would fill the database's log with violated keys.
        const held = await kysely
          .selectFrom('lease')
          .select('name')
          .where('name', '=', name)
          .executeTakeFirst();
        if (held !== undefined || !(await insertFirst(name, holder, expiresAtMs))) return null;
      }
      const row = await kysely
        .selectFrom('lease')
        .select('token')
        .where('name', '=', name)
        .where('holder', '=', holder)
        .executeTakeFirst();
      return row === undefined ? null : { name, holder, token: row.token, expiresAtMs };
    },
    async renewLease(lease, expiresAtMs) {
      const result = await kysely
        .updateTable('lease')
        .set({ expires_at_ms: expiresAtMs })
        .where('name', '=', lease.name)
        .where('holder', '=', lease.holder)
        .where('token', '=', lease.token)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async releaseLease(lease) {
      await kysely
        .updateTable('lease')
        .set({ expires_at_ms: 0 })
        .where('name', '=', lease.name)
        .where('holder', '=', lease.holder)
        .where('token', '=', lease.token)
        .execute();
    },
  };
}
