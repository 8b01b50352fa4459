import type { StoreDatabase } from '../dialect.ts';
import type { AccountOauthRow, OauthSessionRow, OauthStore } from '../ports/oauth.ts';
import type { AccountOauthTable } from '../tables/account-tables.ts';

type Sessions = Pick<
  OauthStore,
  'insertOauthSession' | 'countOauthSessions' | 'takeOauthSession' | 'deleteExpiredOauthSessions'
>;

/** OAuth accounts over an open database. */
export function createOauthStore(database: StoreDatabase): OauthStore {
  return { ...accounts(database), ...sessions(database) };
}

function accountOauthRow(row: AccountOauthTable): AccountOauthRow {
  return {
    accountId: row.account_id,
    client: row.client,
    sealedSecrets: row.sealed_secrets,
    expiresAtMs: row.expires_at_ms,
    version: row.version,
    reauthReason: row.reauth_reason,
    updatedAtMs: row.updated_at_ms,
  };
}

function accounts(database: StoreDatabase): Omit<OauthStore, keyof Sessions> {
  const { kysely } = database;
  return {
    listAccountOauth: async () =>
      (await kysely.selectFrom('account_oauth').selectAll().orderBy('account_id').execute()).map(
        accountOauthRow,
      ),
    async findAccountOauth(accountId) {
      const row = await kysely
        .selectFrom('account_oauth')
        .selectAll()
        .where('account_id', '=', accountId)
        .executeTakeFirst();
      return row === undefined ? null : accountOauthRow(row);
    },
    putAccountOauth: ({ accountId, client, sealedSecrets, expiresAtMs, reauthReason, updatedAtMs }) =>
      database.write(async ({ db }) => {
        const columns = {
          client,
          sealed_secrets: sealedSecrets,
          expires_at_ms: expiresAtMs,
          reauth_reason: reauthReason,
          updated_at_ms: updatedAtMs,
        };
        const result = await db
          .updateTable('account_oauth')
          .set((eb) => ({ ...columns, version: eb('version', '+', 1) }))
          .where('account_id', '=', accountId)
          .executeTakeFirst();
        if (result.numUpdatedRows > 0n) return;
        const values = { account_id: accountId, version: 1, ...columns };
        await db.insertInto('account_oauth').values(values).execute();
      }),
    async updateOauthTokens(accountId, version, change) {
      const result = await kysely
        .updateTable('account_oauth')
        .set({
          sealed_secrets: change.sealedSecrets,
          expires_at_ms: change.expiresAtMs,
          reauth_reason: change.reauthReason,
          updated_at_ms: change.updatedAtMs,
          version: version + 1,
        })
        .where('account_id', '=', accountId)
        .where('version', '=', version)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}

function sessions({ kysely }: StoreDatabase): Sessions {
  return {
    async insertOauthSession(row) {
      const values = {
        id: row.id,
        sealed_payload: row.sealedPayload,
        created_at_ms: row.createdAtMs,
        expires_at_ms: row.expiresAtMs,
      };
      await kysely.insertInto('oauth_session').values(values).execute();
    },
    async countOauthSessions() {
      const row = await kysely
        .selectFrom('oauth_session')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    async takeOauthSession(id) {
      const row = await kysely
        .selectFrom('oauth_session')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return null;
      const taken = await kysely.deleteFrom('oauth_session').where('id', '=', id).executeTakeFirst();
      if (taken.numDeletedRows === 0n) return null; // of two that race, one deletes it
      const session: OauthSessionRow = {
        id: row.id,
        sealedPayload: row.sealed_payload,
        createdAtMs: row.created_at_ms,
        expiresAtMs: row.expires_at_ms,
      };
      return session;
    },
    async deleteExpiredOauthSessions(nowMs) {
      const result = await kysely
        .deleteFrom('oauth_session')
        .where('expires_at_ms', '<=', nowMs)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
