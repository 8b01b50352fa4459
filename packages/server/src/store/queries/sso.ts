import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { SsoIdentityRow, SsoStore } from '../ports/sso.ts';
import type { Schema } from '../schema.ts';
import type { SsoIdentityTable } from '../tables/people-tables.ts';
import { memberOf, userValues } from './identity.ts';

function identityRow(row: SsoIdentityTable): SsoIdentityRow {
  return {
    id: row.id,
    userId: row.user_id,
    issuer: row.issuer,
    subject: row.subject,
    managed: row.managed === 1,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

async function insert(db: Kysely<Schema>, row: SsoIdentityRow): Promise<void> {
  const values: SsoIdentityTable = {
    id: row.id,
    user_id: row.userId,
    issuer: row.issuer,
    subject: row.subject,
    managed: row.managed ? 1 : 0,
    created_at_ms: row.createdAtMs,
    last_used_at_ms: row.lastUsedAtMs,
  };
  await db.insertInto('sso_identity').values(values).execute();
}

/** Users known through an identity provider. */
export function createSsoStore(database: StoreDatabase): SsoStore {
  const { kysely } = database;
  const find = async (column: 'id' | 'user_id', value: string): Promise<SsoIdentityRow | null> => {
    const row = await kysely
      .selectFrom('sso_identity')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst();
    return row === undefined ? null : identityRow(row);
  };
  /** One of two at once finds the place taken. */
  const inserted = async (work: (db: Kysely<Schema>) => Promise<void>): Promise<boolean> => {
    try {
      await database.write(({ db }) => work(db));
      return true;
    } catch (error) {
      if (database.dialect.isUniqueViolation(error)) return false;
      throw error;
    }
  };
  return {
    findSsoIdentity: (id) => find('id', id),
    findSsoIdentityOf: (userId) => find('user_id', userId),
    insertSsoUser: (user, members, identity) =>
      inserted(async (db) => {
        await db.insertInto('app_user').values(userValues(user)).execute();
        const memberships = members.map((member) => memberOf(user, member));
        await db.insertInto('membership').values(memberships).execute();
        await insert(db, identity);
      }),
    insertSsoIdentity: (identity) => inserted((db) => insert(db, identity)),
    async useSsoIdentity(id, atMs) {
      await kysely.updateTable('sso_identity').set({ last_used_at_ms: atMs }).where('id', '=', id).execute();
    },
    async deleteSsoIdentityOf(userId) {
      const result = await kysely.deleteFrom('sso_identity').where('user_id', '=', userId).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}
