import { foldUsername } from '@tallygate/contract/username';
import type { StoreDatabase } from '../dialect.ts';
import type { IdentityStore, MembershipRow, SessionRow, UserRow } from '../store.ts';
import type { AppUserTable, MembershipTable, SessionTable } from '../tables/people-tables.ts';
import { foldUsernames } from './fold-usernames.ts';
import { takeTurn } from './row-changes.ts';

type Users = Pick<
  IdentityStore,
  'countUsers' | 'insertFirstUser' | 'foldUsernames' | 'findUserByName' | 'findUser' | 'updatePassword'
>;

/** Users and their sessions. */
export function createIdentityStore(database: StoreDatabase): IdentityStore {
  return { ...users(database), ...sessions(database) };
}

/** A user as the program sees it. */
export function userRow(row: AppUserTable): UserRow {
  return {
    id: row.id,
    username: row.username,
    passwordHash: row.password_hash,
    createdAtMs: row.created_at_ms,
    disabledAtMs: row.disabled_at_ms,
  };
}

/** The columns of a user. */
export function userValues(user: UserRow): AppUserTable {
  return {
    id: user.id,
    username: user.username,
    username_folded: foldUsername(user.username),
    password_hash: user.passwordHash,
    created_at_ms: user.createdAtMs,
    disabled_at_ms: user.disabledAtMs,
  };
}

/** The columns of a new user's first membership. */
export function memberOf(
  user: UserRow,
  { workspaceId, role }: Pick<MembershipRow, 'workspaceId' | 'role'>,
): MembershipTable {
  return { user_id: user.id, workspace_id: workspaceId, role, created_at_ms: user.createdAtMs };
}

function users(database: StoreDatabase): Users {
  const { kysely } = database;
  return {
    async countUsers() {
      const row = await kysely
        .selectFrom('app_user')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    insertFirstUser: (user, member) =>
      database.write(async ({ db }) => {
        await takeTurn(db, 'first_user');
        const present = await db.selectFrom('app_user').select('id').limit(1).executeTakeFirst();
        if (present !== undefined) return false;
        await db.insertInto('app_user').values(userValues(user)).execute();
        await db.insertInto('membership').values(memberOf(user, member)).execute();
        return true;
      }),
    async foldUsernames() {
      const left = await kysely
        .selectFrom('app_user')
        .select('id')
        .where('username_folded', 'is', null)
        .limit(1)
        .executeTakeFirst();
      if (left === undefined) return;
      await database.write(async ({ db }) => {
        await takeTurn(db, 'people');
        await foldUsernames(db);
      });
    },
    async findUserByName(username) {
      const rows = await kysely
        .selectFrom('app_user')
        .selectAll()
        .where((eb) =>
          eb.or([
            eb('username_folded', '=', foldUsername(username)),
            eb.and([eb('username', '=', username), eb('username_folded', 'is', null)]),
          ]),
        )
        .execute();
      const row = rows.find((user) => user.username === username) ?? rows[0];
      return row === undefined ? null : userRow(row);
    },
    async findUser(id) {
      const row = await kysely.selectFrom('app_user').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : userRow(row);
    },
    async updatePassword(userId, passwordHash) {
      await kysely
        .updateTable('app_user')
        .set({ password_hash: passwordHash })
        .where('id', '=', userId)
        .execute();
    },
  };
}

/** A session as the program sees it. */
export function sessionRow(row: SessionTable): SessionRow {
  return {
    idHash: row.id_hash,
    userId: row.user_id,
    csrfHash: row.csrf_hash,
    createdAtMs: row.created_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
    expiresAtMs: row.expires_at_ms,
    address: row.address,
    userAgent: row.user_agent,
    secondFactorTries: row.second_factor_tries,
    method: row.method as SessionRow['method'],
    workspaceId: row.workspace_id,
  };
}

function sessions(database: StoreDatabase): Omit<IdentityStore, keyof Users> {
  const { kysely } = database;
  const change = async (idHash: string, set: Partial<SessionTable>): Promise<void> => {
    await kysely.updateTable('session').set(set).where('id_hash', '=', idHash).execute();
  };
  return {
    async insertSession(row) {
      await kysely
        .insertInto('session')
        .values({
          id_hash: row.idHash,
          user_id: row.userId,
          csrf_hash: row.csrfHash,
          created_at_ms: row.createdAtMs,
          last_seen_at_ms: row.lastSeenAtMs,
          expires_at_ms: row.expiresAtMs,
          address: row.address,
          user_agent: row.userAgent,
          second_factor_tries: row.secondFactorTries,
          method: row.method,
          workspace_id: row.workspaceId,
        })
        .execute();
    },
    async findSession(idHash) {
      const row = await kysely
        .selectFrom('session')
        .selectAll()
        .where('id_hash', '=', idHash)
        .executeTakeFirst();
      return row === undefined ? null : sessionRow(row);
    },
    touchSession: (idHash, lastSeenAtMs) => change(idHash, { last_seen_at_ms: lastSeenAtMs }),
    chooseWorkspace: (idHash, workspaceId) => change(idHash, { workspace_id: workspaceId }),
    replaceSessionCsrf: (idHash, csrfHash) => change(idHash, { csrf_hash: csrfHash }),
    async deleteSession(idHash) {
      await kysely.deleteFrom('session').where('id_hash', '=', idHash).execute();
    },
    async deleteSessionsOf(userId) {
      await kysely.deleteFrom('session').where('user_id', '=', userId).execute();
    },
    async deleteExpiredSessions(nowMs) {
      const result = await kysely
        .deleteFrom('session')
        .where('expires_at_ms', '<=', nowMs)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
