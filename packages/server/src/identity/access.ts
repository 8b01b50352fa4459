import type { MembershipRow, Store } from '../store/store.ts';
import { BUILT_IN_ROLES, isPermission, type Permission, permissionsIn } from './permissions.ts';

/**
 * How far a session has come. `second_factor`: the password was right, the code is owed. `enrol`: the role needs a
 * second factor that the user has not set up yet. Neither may do anything but that.
 */
export type SessionStage = 'full' | 'second_factor' | 'enrol';

/** What somebody is and may do in the workspace they look at. */
export interface Standing {
  workspaceId: string;
  role: string;
  permissions: ReadonlySet<Permission>;
  /** What they may do to the whole installation: what they may in its first workspace. */
  installationPermissions: ReadonlySet<Permission>;
}

/** What is decided by roles and rules that can change while people are signed in: asked anew with every call. */
export interface AccessRules {
  /** What a role carries in the workspace; null when there is no such role. */
  permissionsOfRole(role: string, workspaceId: string): Promise<ReadonlySet<Permission> | null>;
  /**
   * Where the user stands: in the chosen workspace if they may be there, else in the first of their own; null when
   * they belong to none. Owners of the first workspace own the installation, and with it every workspace.
   */
  standingOf(userId: string, chosen: string | null): Promise<Standing | null>;
  /** True when a role of theirs needs a second factor and they have none. */
  mustEnrol(userId: string): Promise<boolean>;
  /** A role of the user's, in any workspace, that needs a second factor; null when none does. */
  roleWithSecondFactor(userId: string): Promise<string | null>;
  /** Roles whose holders need a second factor. */
  secondFactorRoles(): Promise<readonly string[]>;
  requireSecondFactor(roles: readonly string[]): Promise<void>;
}

const SECOND_FACTOR_ROLES_SETTING = 'second_factor_roles';
const OWNER = 'owner';

/** Rules as the store has them. @param firstWorkspaceId the workspace whose owners own the installation */
export function createAccessRules(
  store: Pick<Store, 'people' | 'passkeys' | 'config'>,
  firstWorkspaceId: string,
): AccessRules {
  async function secondFactorRoles(): Promise<readonly string[]> {
    const stored = await store.config.getSetting(SECOND_FACTOR_ROLES_SETTING);
    return stored === null ? [] : (JSON.parse(stored) as string[]);
  }

  async function carriedBy(role: string | undefined): Promise<ReadonlySet<Permission> | null> {
    if (role === undefined) return null;
    if (Object.hasOwn(BUILT_IN_ROLES, role)) return BUILT_IN_ROLES[role] ?? null;
    const custom = (await store.people.listRoles()).find((row) => row.name === role);
    return custom === undefined ? null : new Set(custom.permissions.filter(isPermission));
  }

  async function roleWithSecondFactor(userId: string): Promise<string | null> {
    const roles = await secondFactorRoles();
    if (roles.length === 0) return null;
    const memberships = await store.people.listMemberships(userId);
    return memberships.find(({ role }) => roles.includes(role))?.role ?? null;
  }

  return {
    async permissionsOfRole(role, workspaceId) {
      const carried = await carriedBy(role);
      return carried === null || workspaceId === firstWorkspaceId
        ? carried
        : permissionsIn(carried, new Set());
    },
    async standingOf(userId, chosen) {
      const memberships = await store.people.listMemberships(userId);
      const first = memberships.find(({ workspaceId }) => workspaceId === firstWorkspaceId);
      const here = placeOf(memberships, chosen, first);
      if (here === null) return null;
      const installationPermissions = (await carriedBy(first?.role)) ?? new Set<Permission>();
      const { workspaceId, role } = here;
      if (here === first)
        return { workspaceId, role, permissions: installationPermissions, installationPermissions };
      const carried = (await carriedBy(role)) ?? new Set<Permission>();
      const permissions = permissionsIn(carried, installationPermissions);
      return { workspaceId, role, permissions, installationPermissions };
    },
    roleWithSecondFactor,
    async mustEnrol(userId) {
      return (await roleWithSecondFactor(userId)) !== null && !(await store.passkeys.hasSecondFactor(userId));
    },
    secondFactorRoles,
    requireSecondFactor: (roles) =>
      store.config.setSetting(SECOND_FACTOR_ROLES_SETTING, JSON.stringify([...new Set(roles)])),
  };
}

type Place = Pick<MembershipRow, 'workspaceId' | 'role'>;

function placeOf(
  memberships: readonly MembershipRow[],
  chosen: string | null,
  first: MembershipRow | undefined,
): Place | null {
  const own = memberships.find(({ workspaceId }) => workspaceId === chosen);
  if (own !== undefined) return own;
  if (chosen !== null && first?.role === OWNER) return { workspaceId: chosen, role: OWNER };
  return first ?? memberships[0] ?? null;
}
