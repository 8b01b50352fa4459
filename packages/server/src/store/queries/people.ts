import type { Kysely } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { CustomRoleRow, EntryLinkRow, PeopleStore, UserChange } from '../ports/people.ts';
import type { EntryLinkTable, Schema } from '../schema.ts';
import { userRow, userValues } from './identity.ts';
import { createSecondFactorStore, type SecondFactorStore } from './second-factor.ts';

type Users = Pick<PeopleStore, 'listUsers' | 'updateUser' | 'deleteUser'>;
type Roles = Pick<PeopleStore, 'listRoles' | 'insertRole' | 'updateRole' | 'deleteRole'>;
type Links = Omit<PeopleStore, keyof Users | keyof Roles | keyof SecondFactorStore>;

/** The role without which nobody could administer the installation. */
const OWNER_ROLE = 'owner';

/** Users as a list, roles, one-time links, second factors. */
export function createPeopleStore(database: StoreDatabase): PeopleStore {
  return { ...users(database), ...roles(database), ...links(database), ...createSecondFactorStore(database) };
}

/** Taking this row first makes changes to people take turns on every engine. */
async function takeTurn(db: Kysely<Schema>): Promise<void> {
  await db
    .updateTable('store_lock')
    .set((eb) => ({ turn: eb('turn', '+', 1) }))
    .where('name', '=', 'people')
    .execute();
}

async function isLastOwner(db: Kysely<Schema>, id: string): Promise<boolean> {
  const owners = await db
    .selectFrom('app_user')
    .select('id')
    .where('role', '=', OWNER_ROLE)
    .where('disabled_at_ms', 'is', null)
    .execute();
  return owners.length === 1 && owners[0]?.id === id;
}

function users(database: StoreDatabase): Users {
  const { kysely } = database;
  /** Runs the change in turn, unless it would take the last owner away. */
  const change = (
    id: string,
    endsOwner: boolean,
    work: (db: Kysely<Schema>) => Promise<unknown>,
  ): Promise<UserChange> =>
    database.write(async ({ db }) => {
      await takeTurn(db);
      const row = await db.selectFrom('app_user').select('id').where('id', '=', id).executeTakeFirst();
      if (row === undefined) return 'missing';
      if (endsOwner && (await isLastOwner(db, id))) return 'last_owner';
      await work(db);
      return 'changed';
    });
  return {
    async listUsers() {
      const [rows, factors, passkeys, seen] = await Promise.all([
        kysely.selectFrom('app_user').selectAll().orderBy('created_at_ms').orderBy('id').execute(),
        kysely.selectFrom('user_totp').select('user_id').where('confirmed_at_ms', 'is not', null).execute(),
        kysely
          .selectFrom('passkey')
          .select((eb) => ['user_id', eb.fn.countAll<number>().as('count')])
          .groupBy('user_id')
          .execute(),
        kysely
          .selectFrom('session')
          .select((eb) => ['user_id', eb.fn.max('last_seen_at_ms').as('at')])
          .groupBy('user_id')
          .execute(),
      ]);
      const withFactor = new Set(factors.map((row) => row.user_id));
      const passkeyCounts = new Map(passkeys.map((row) => [row.user_id, Number(row.count)]));
      const lastSeen = new Map(seen.map((row) => [row.user_id, Number(row.at)]));
      return rows.map((row) => ({
        ...userRow(row),
        secondFactor: withFactor.has(row.id) || passkeyCounts.has(row.id),
        passkeys: passkeyCounts.get(row.id) ?? 0,
        lastSeenAtMs: lastSeen.get(row.id) ?? null,
      }));
    },
    updateUser(id, { role, disabledAtMs }) {
      const set = {
        ...(role === undefined ? {} : { role }),
        ...(disabledAtMs === undefined ? {} : { disabled_at_ms: disabledAtMs }),
      };
      const endsOwner = (role !== undefined && role !== OWNER_ROLE) || typeof disabledAtMs === 'number';
      return change(id, endsOwner, async (db) => {
        if (Object.keys(set).length > 0)
          await db.updateTable('app_user').set(set).where('id', '=', id).execute();
        if (typeof disabledAtMs === 'number') {
          await db.deleteFrom('session').where('user_id', '=', id).execute();
          await db.deleteFrom('entry_link').where('user_id', '=', id).execute();
        }
      });
    },
    deleteUser: (id) => change(id, true, (db) => db.deleteFrom('app_user').where('id', '=', id).execute()),
  };
}

function roles(database: StoreDatabase): Roles {
  const { kysely } = database;
  return {
    async listRoles() {
      const rows = await kysely.selectFrom('custom_role').selectAll().orderBy('name').execute();
      return rows.map(
        (row): CustomRoleRow => ({
          name: row.name,
          permissions: JSON.parse(row.permissions) as string[],
          createdAtMs: row.created_at_ms,
        }),
      );
    },
    async insertRole(row) {
      const values = {
        name: row.name,
        permissions: JSON.stringify(row.permissions),
        created_at_ms: row.createdAtMs,
      };
      try {
        await kysely.insertInto('custom_role').values(values).execute();
      } catch (cause) {
        if (!database.dialect.isUniqueViolation(cause)) throw cause;
        throw new AppError('name_taken', { detail: `A role with the name "${row.name}" exists.`, cause });
      }
    },
    async updateRole(name, permissions) {
      const result = await kysely
        .updateTable('custom_role')
        .set({ permissions: JSON.stringify(permissions) })
        .where('name', '=', name)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    deleteRole: (name) =>
      database.write(async ({ db }) => {
        await takeTurn(db);
        const user = await db.selectFrom('app_user').select('id').where('role', '=', name).executeTakeFirst();
        const link = await db
          .selectFrom('entry_link')
          .select('id')
          .where('role', '=', name)
          .executeTakeFirst();
        if (user !== undefined || link !== undefined) return 'in_use';
        const result = await db.deleteFrom('custom_role').where('name', '=', name).executeTakeFirst();
        return result.numDeletedRows > 0n ? 'deleted' : 'missing';
      }),
  };
}

function linkRow(row: EntryLinkTable): EntryLinkRow {
  return {
    id: row.id,
    codeHash: row.code_hash,
    role: row.role,
    userId: row.user_id,
    note: row.note,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

function links(database: StoreDatabase): Links {
  const { kysely } = database;
  /** Deleting is using up: of two at once only one finds the row. */
  const useUp = async (db: Kysely<Schema>, id: string): Promise<boolean> =>
    (await db.deleteFrom('entry_link').where('id', '=', id).executeTakeFirst()).numDeletedRows > 0n;
  return {
    async insertLink(row) {
      const values = {
        id: row.id,
        code_hash: row.codeHash,
        role: row.role,
        user_id: row.userId,
        note: row.note,
        created_by: row.createdBy,
        created_at_ms: row.createdAtMs,
        expires_at_ms: row.expiresAtMs,
      };
      await kysely.insertInto('entry_link').values(values).execute();
    },
    async listLinks(nowMs) {
      const rows = await kysely
        .selectFrom('entry_link')
        .selectAll()
        .where('expires_at_ms', '>', nowMs)
        .orderBy('created_at_ms')
        .orderBy('id')
        .execute();
      return rows.map(linkRow);
    },
    async findLink(codeHash, nowMs) {
      const row = await kysely
        .selectFrom('entry_link')
        .selectAll()
        .where('code_hash', '=', codeHash)
        .where('expires_at_ms', '>', nowMs)
        .executeTakeFirst();
      return row === undefined ? null : linkRow(row);
    },
    deleteLink: (id) => useUp(kysely, id),
    async deleteExpiredLinks(nowMs) {
      await kysely.deleteFrom('entry_link').where('expires_at_ms', '<=', nowMs).execute();
    },
    async acceptInvitation(linkId, user) {
      try {
        return await database.write(async ({ db }) => {
          if (!(await useUp(db, linkId))) return false;
          await db.insertInto('app_user').values(userValues(user)).execute();
          return true;
        });
      } catch (cause) {
        if (!database.dialect.isUniqueViolation(cause)) throw cause;
        throw new AppError('name_taken', { detail: 'A user with that name exists. Choose another.', cause });
      }
    },
    acceptNewPassword: (linkId, userId, passwordHash) =>
      database.write(async ({ db }) => {
        if (!(await useUp(db, linkId))) return false;
        await db
          .updateTable('app_user')
          .set({ password_hash: passwordHash })
          .where('id', '=', userId)
          .execute();
        await db.deleteFrom('session').where('user_id', '=', userId).execute();
        return true;
      }),
  };
}
