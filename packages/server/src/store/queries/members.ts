import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { PeopleStore, UserChange } from '../ports/people.ts';
import type { Schema } from '../schema.ts';
import type { MembershipRow } from '../store.ts';
import type { MembershipTable } from '../tables/people-tables.ts';
import { userRow } from './identity.ts';
import { takeTurn, unlessTaken } from './row-changes.ts';

export type MemberStore = Pick<
  PeopleStore,
  'listMembers' | 'listMemberships' | 'addMember' | 'updateMember' | 'removeMember'
>;

/** The role without which nobody could administer a workspace. */
const OWNER_ROLE = 'owner';

const toRow = (row: MembershipTable): MembershipRow => ({
  userId: row.user_id,
  workspaceId: row.workspace_id,
  role: row.role,
  createdAtMs: row.created_at_ms,
});

/** True when the user is the last owner who can sign in of one of these workspaces. */
async function isLastOwner(
  db: Kysely<Schema>,
  userId: string,
  workspaceIds: readonly string[],
): Promise<boolean> {
  const owners = await db
    .selectFrom('membership as m')
    .innerJoin('app_user as u', 'u.id', 'm.user_id')
    .select(['m.workspace_id', 'm.user_id'])
    .where('m.workspace_id', 'in', [...workspaceIds])
    .where('m.role', '=', OWNER_ROLE)
    .where('u.disabled_at_ms', 'is', null)
    .execute();
  return workspaceIds.some((workspaceId) => {
    const here = owners.filter((row) => row.workspace_id === workspaceId);
    return here.length === 1 && here[0]?.user_id === userId;
  });
}

type Ref = Pick<MembershipRow, 'userId' | 'workspaceId'>;

/** Who belongs to a workspace, and as what. */
export function createMemberStore(database: StoreDatabase): MemberStore {
  return { ...memberLists(database), ...memberChanges(database) };
}

function memberLists(database: StoreDatabase): Pick<MemberStore, 'listMembers' | 'listMemberships'> {
  const { kysely } = database;
  return {
    async listMembers(workspaceId) {
      const here = kysely.selectFrom('membership').select('user_id').where('workspace_id', '=', workspaceId);
      const [users, memberships, factors, passkeys, identities, seen] = await Promise.all([
        kysely
          .selectFrom('app_user')
          .selectAll()
          .where('id', 'in', here)
          .orderBy('created_at_ms')
          .orderBy('id')
          .execute(),
        kysely.selectFrom('membership').selectAll().where('user_id', 'in', here).execute(),
        kysely.selectFrom('user_totp').select('user_id').where('confirmed_at_ms', 'is not', null).execute(),
        kysely
          .selectFrom('passkey')
          .select((eb) => ['user_id', eb.fn.countAll<number>().as('count')])
          .groupBy('user_id')
          .execute(),
        kysely.selectFrom('sso_identity').select('user_id').execute(),
        kysely
          .selectFrom('session')
          .select((eb) => ['user_id', eb.fn.max('last_seen_at_ms').as('at')])
          .groupBy('user_id')
          .execute(),
      ]);
      const withFactor = new Set(factors.map((row) => row.user_id));
      const passkeyCounts = new Map(passkeys.map((row) => [row.user_id, Number(row.count)]));
      const withSso = new Set(identities.map((row) => row.user_id));
      const lastSeen = new Map(seen.map((row) => [row.user_id, Number(row.at)]));
      return users.map((row) => {
        const all = memberships.filter((membership) => membership.user_id === row.id);
        return {
          ...userRow(row),
          role: all.find((membership) => membership.workspace_id === workspaceId)?.role ?? '',
          workspaceIds: all.map((membership) => membership.workspace_id),
          secondFactor: withFactor.has(row.id) || passkeyCounts.has(row.id),
          app: withFactor.has(row.id),
          passkeys: passkeyCounts.get(row.id) ?? 0,
          sso: withSso.has(row.id),
          lastSeenAtMs: lastSeen.get(row.id) ?? null,
        };
      });
    },
    async listMemberships(userId) {
      let query = kysely.selectFrom('membership').selectAll();
      if (userId !== null) query = query.where('user_id', '=', userId);
      return (await query.orderBy('created_at_ms').orderBy('workspace_id').execute()).map(toRow);
    },
  };
}

function memberChanges(
  database: StoreDatabase,
): Pick<MemberStore, 'addMember' | 'updateMember' | 'removeMember'> {
  const { kysely } = database;
  /** Runs the change in turn, unless it would take the last owner away from one of the workspaces. */
  const change = (
    { userId, workspaceId }: Ref,
    endsOwnerOf: 'none' | 'here' | 'everywhere',
    work: (db: Kysely<Schema>, elsewhere: boolean) => Promise<unknown>,
  ): Promise<UserChange> =>
    database.write(async ({ db }) => {
      await takeTurn(db, 'people');
      const rows = await db.selectFrom('membership').selectAll().where('user_id', '=', userId).execute();
      if (!rows.some((row) => row.workspace_id === workspaceId)) return 'missing';
      const all = rows.map((row) => row.workspace_id);
      const ends = { none: [], here: [workspaceId], everywhere: all }[endsOwnerOf];
      if (ends.length > 0 && (await isLastOwner(db, userId, ends))) return 'last_owner';
      await work(db, all.length > 1);
      return 'changed';
    });
  const membershipOf = (db: Kysely<Schema>, { userId, workspaceId }: Ref) =>
    db.updateTable('membership').where('user_id', '=', userId).where('workspace_id', '=', workspaceId);
  return {
    addMember: ({ userId, workspaceId, role, createdAtMs }) =>
      unlessTaken(database, 'They belong to this workspace already.', () =>
        kysely
          .insertInto('membership')
          .values({ user_id: userId, workspace_id: workspaceId, role, created_at_ms: createdAtMs })
          .execute(),
      ),
    updateMember(ref, { role, disabledAtMs }) {
      const disables = typeof disabledAtMs === 'number';
      const leaves = role !== undefined && role !== OWNER_ROLE;
      return change(ref, disables ? 'everywhere' : leaves ? 'here' : 'none', async (db) => {
        if (role !== undefined) await membershipOf(db, ref).set({ role }).execute();
        if (disabledAtMs === undefined) return;
        await db
          .updateTable('app_user')
          .set({ disabled_at_ms: disabledAtMs })
          .where('id', '=', ref.userId)
          .execute();
        if (!disables) return;
        await db.deleteFrom('session').where('user_id', '=', ref.userId).execute();
        await db.deleteFrom('entry_link').where('user_id', '=', ref.userId).execute();
      });
    },
    removeMember: (ref) =>
      change(ref, 'here', (db, elsewhere) =>
        elsewhere
          ? db
              .deleteFrom('membership')
              .where('user_id', '=', ref.userId)
              .where('workspace_id', '=', ref.workspaceId)
              .execute()
          : db.deleteFrom('app_user').where('id', '=', ref.userId).execute(),
      ),
  };
}
