import type { PoolStrategy } from '@tallygate/contract/api/pool';
import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { PoolRow, PoolStore } from '../ports/pool.ts';
import type { Schema } from '../schema.ts';
import { readAccountHours } from './account-hours.ts';
import { defined, unlessTaken } from './row-changes.ts';

type States = Pick<PoolStore, 'listAccountStates' | 'saveAccountStates'>;

function states(database: StoreDatabase): States {
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
        const kept = await knownAccounts(
          trx,
          rows.map((row) => row.accountId),
        );
        const values = rows
          .filter((row) => kept.has(row.accountId))
          .map((row) => ({ account_id: row.accountId, state: row.state, updated_at_ms: row.updatedAtMs }));
        const ids = rows.map((row) => row.accountId);
        await trx.deleteFrom('account_state').where('account_id', 'in', ids).execute();
        if (values.length > 0) await trx.insertInto('account_state').values(values).execute();
      });
    },
  };
}

async function knownAccounts(db: Kysely<Schema>, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('account')
    .select('id')
    .where('id', 'in', [...ids])
    .execute();
  return new Set(rows.map((row) => row.id));
}

async function writeMembers(
  db: Kysely<Schema>,
  poolId: string,
  accountIds: readonly string[],
): Promise<void> {
  await db.deleteFrom('pool_member').where('pool_id', '=', poolId).execute();
  const known = await knownAccounts(db, accountIds);
  if (known.size === 0) return;
  const values = [...known].map((accountId) => ({ pool_id: poolId, account_id: accountId }));
  await db.insertInto('pool_member').values(values).execute();
}

const takenText = (name: string | undefined): string => `A pool with the name "${name}" exists.`;

async function listPools({ kysely }: StoreDatabase, workspaceId: string | null): Promise<PoolRow[]> {
  let query = kysely.selectFrom('pool').selectAll();
  if (workspaceId !== null) query = query.where('workspace_id', '=', workspaceId);
  const pools = await query.orderBy('created_at_ms').orderBy('id').execute();
  const members = await kysely
    .selectFrom('pool_member')
    .innerJoin('account', 'account.id', 'pool_member.account_id')
    .select(['pool_member.pool_id', 'pool_member.account_id'])
    .orderBy('account.created_at_ms')
    .orderBy('account.id')
    .execute();
  return pools.map((row) => ({
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    strategy: row.strategy as PoolStrategy,
    notes: row.notes,
    accountIds: members.filter((member) => member.pool_id === row.id).map((member) => member.account_id),
    createdAtMs: row.created_at_ms,
  }));
}

/** Pools and the state of accounts over an open database. */
export function createPoolStore(database: StoreDatabase): PoolStore {
  const { kysely } = database;
  return {
    ...states(database),
    listPools: (workspaceId) => listPools(database, workspaceId),
    insertPool: (row) =>
      unlessTaken(database, takenText(row.name), () =>
        database.write(async ({ db }) => {
          const values = {
            id: row.id,
            workspace_id: row.workspaceId,
            name: row.name,
            strategy: row.strategy,
            notes: row.notes,
            created_at_ms: row.createdAtMs,
          };
          await db.insertInto('pool').values(values).execute();
          await writeMembers(db, row.id, row.accountIds);
        }),
      ),
    async updatePool(id, { accountIds, ...change }) {
      const set = defined(change);
      let found = false;
      await unlessTaken(database, takenText(change.name), () =>
        database.write(async ({ db }) => {
          const row = await db.selectFrom('pool').select('id').where('id', '=', id).executeTakeFirst();
          found = row !== undefined;
          if (!found) return;
          if (Object.keys(set).length > 0)
            await db.updateTable('pool').set(set).where('id', '=', id).execute();
          if (accountIds !== undefined) await writeMembers(db, id, accountIds);
        }),
      );
      return found;
    },
    async deletePool(id) {
      const result = await kysely.deleteFrom('pool').where('id', '=', id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    listAccountHours: (range) => readAccountHours(database, range),
  };
}
