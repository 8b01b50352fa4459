import type { Kysely } from 'kysely';
import type { Fence } from '../ports/leases.ts';
import type { Schema } from '../schema.ts';

/**
 * True while the lease is held as the fence says; to be asked inside the transaction that writes. The lease's row stays
 * locked until that transaction ends: a successor waits for it, or has been before and is seen here.
 */
export async function holdsFence(db: Kysely<Schema>, { name, holder, token }: Fence): Promise<boolean> {
  const result = await db
    .updateTable('lease')
    .set((eb) => ({ token: eb.ref('token') }))
    .where('name', '=', name)
    .where('holder', '=', holder)
    .where('token', '=', token)
    .where('expires_at_ms', '>', 0) // 0: given up
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
