import type { Store } from '../store/store.ts';
import { BUILT_IN_ROLES, isPermission, type Permission } from './permissions.ts';

/**
 * How far a session has come. `second_factor`: the password was right, the code is owed. `enrol`: the role needs a
 * second factor that the user has not set up yet. Neither may do anything but that.
 */
export type SessionStage = 'full' | 'second_factor' | 'enrol';

/** What is decided by roles and rules that can change while people are signed in: asked anew with every call. */
export interface AccessRules {
  /** What a role carries; null when there is no such role. */
  permissionsOfRole(role: string): Promise<ReadonlySet<Permission> | null>;
  /** True when the role needs a second factor and the user has none. */
  mustEnrol(user: { id: string; role: string }): Promise<boolean>;
  /** Roles whose holders need a second factor. */
  secondFactorRoles(): Promise<readonly string[]>;
  requireSecondFactor(roles: readonly string[]): Promise<void>;
}

const SECOND_FACTOR_ROLES_SETTING = 'second_factor_roles';

/** Rules as the store has them. */
export function createAccessRules(store: Pick<Store, 'people' | 'passkeys' | 'config'>): AccessRules {
  async function secondFactorRoles(): Promise<readonly string[]> {
    const stored = await store.config.getSetting(SECOND_FACTOR_ROLES_SETTING);
    return stored === null ? [] : (JSON.parse(stored) as string[]);
  }
  return {
    async permissionsOfRole(role) {
      if (Object.hasOwn(BUILT_IN_ROLES, role)) return BUILT_IN_ROLES[role] ?? null;
      const custom = (await store.people.listRoles()).find((row) => row.name === role);
      return custom === undefined ? null : new Set(custom.permissions.filter(isPermission));
    },
    async mustEnrol({ id, role }) {
      if (!(await secondFactorRoles()).includes(role)) return false;
      return !(await store.passkeys.hasSecondFactor(id));
    },
    secondFactorRoles,
    requireSecondFactor: (roles) =>
      store.config.setSetting(SECOND_FACTOR_ROLES_SETTING, JSON.stringify([...new Set(roles)])),
  };
}
