import type { Kysely } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { CustomRoleRow, EntryLinkRow, PeopleStore } from '../ports/people.ts';
import type { Schema } from '../schema.ts';
import type { EntryLinkTable } from '../tables/people-tables.ts';
import { memberOf, userValues } from './identity.ts';
import { createMemberStore, type MemberStore } from './members.ts';
import { takeTurn } from './row-changes.ts';
import { createSecondFactorStore, type SecondFactorStore } from './second-factor.ts';

type Roles = Pick<PeopleStore, 'listRoles' | 'insertRole' | 'updateRole' | 'deleteRole'>;
type Links = Omit<PeopleStore, keyof MemberStore | keyof Roles | keyof SecondFactorStore>;

/** Members, roles, one-time links, second factors. */
export function createPeopleStore(database: StoreDatabase): PeopleStore {
  return {
    ...createMemberStore(database),
    ...roles(database),
    ...links(database),
    ...createSecondFactorStore(database),
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
        await takeTurn(db, 'people');
        const member = await db
          .selectFrom('membership')
          .select('user_id')
          .where('role', '=', name)
          .executeTakeFirst();
        const link = await db
          .selectFrom('entry_link')
          .select('id')
          .where('role', '=', name)
          .executeTakeFirst();
        if (member !== undefined || link !== undefined) return 'in_use';
        const result = await db.deleteFrom('custom_role').where('name', '=', name).executeTakeFirst();
        return result.numDeletedRows > 0n ? 'deleted' : 'missing';
      }),
  };
}

function linkRow(row: EntryLinkTable): EntryLinkRow {
  return {
    id: row.id,
    codeHash: row.code_hash,
    workspaceId: row.workspace_id,
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
        workspace_id: row.workspaceId,
        role: row.role,
        user_id: row.userId,
        note: row.note,
        created_by: row.createdBy,
        created_at_ms: row.createdAtMs,
        expires_at_ms: row.expiresAtMs,
      };
      await kysely.insertInto('entry_link').values(values).execute();
    },
    async listLinks(workspaceId, nowMs) {
      let query = kysely.selectFrom('entry_link').selectAll().where('expires_at_ms', '>', nowMs);
      if (workspaceId !== null) query = query.where('workspace_id', '=', workspaceId);
      return (await query.orderBy('created_at_ms').orderBy('id').execute()).map(linkRow);
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
          const link = await db
            .selectFrom('entry_link')
            .select(['workspace_id', 'role'])
            .where('id', '=', linkId)
            .executeTakeFirst();
          if (link === undefined || link.workspace_id === null || link.role === null) return false;
          if (!(await useUp(db, linkId))) return false;
          const granted = { workspaceId: link.workspace_id, role: link.role };
          await db.insertInto('app_user').values(userValues(user)).execute();
          await db.insertInto('membership').values(memberOf(user, granted)).execute();
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
