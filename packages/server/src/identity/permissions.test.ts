import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { describe, expect, it } from 'vitest';
import type { ApiKeyRow } from '../store/store.ts';
import {
  ALL_PERMISSIONS,
  BUILT_IN_ROLES,
  isInstallationWide,
  isPermission,
  PERMISSIONS,
  type Permission,
  permissionsIn,
} from './permissions.ts';
import {
  allows,
  assertHolds,
  credentialId,
  installationPermissionsOf,
  keyCredential,
  type Principal,
  permissionsOf,
  permissionsOfScopes,
  scopesWith,
  sessionCredential,
  visibleProject,
  workspaceOf,
} from './principal.ts';
import type { LiveSession } from './sessions.ts';

const set = (...permissions: Permission[]): ReadonlySet<Permission> => new Set(permissions);
const key = (scopes: KeyScope[], first = true, boundProjectId: string | null = null): Principal => ({
  kind: 'key',
  key: { id: 'k1', workspaceId: 'w1', scopes } as ApiKeyRow,
  boundProjectId,
  first,
});
const session = (permissions: ReadonlySet<Permission>, installation: ReadonlySet<Permission>): Principal => ({
  kind: 'session',
  token: 't',
  session: {
    permissions,
    installationPermissions: installation,
    workspaceId: 'w2',
    row: { idHash: 'h1' },
  } as LiveSession,
});
const ANONYMOUS: Principal = { kind: 'anonymous' };
const LOCAL: Principal = { kind: 'local', workspaceId: 'w3' };

describe('permissions (CF-14)', () => {
  it('have names that nothing else has, and nothing every object has is one', () => {
    expect(new Set(PERMISSIONS).size).toBe(PERMISSIONS.length);
    for (const name of PERMISSIONS) expect(isPermission(name)).toBe(true);
    for (const name of ['', 'toString', 'constructor', '__proto__', 'Keys.manage', 'keys.manage '])
      expect([name, isPermission(name)]).toEqual([name, false]);
  });

  it('owners hold all; nobody else can touch an owner', () => {
    expect(BUILT_IN_ROLES.owner).toEqual(ALL_PERMISSIONS);
    for (const [role, carried] of Object.entries(BUILT_IN_ROLES))
      expect([role, carried.has('system.manage')]).toEqual([role, role === 'owner']);
  });

  it('roles that only look change nothing', () => {
    for (const role of ['viewer', 'auditor'])
      for (const permission of BUILT_IN_ROLES[role] ?? []) expect(permission).toMatch(/\.view$/);
    for (const permission of BUILT_IN_ROLES.developer ?? [])
      expect(permission === 'api.request' || permission.endsWith('.view')).toBe(true);
    for (const role of ['viewer', 'auditor', 'developer', 'manager'])
      expect(BUILT_IN_ROLES[role]?.has('users.manage')).toBe(false);
  });

  it('those of the installation come from the first workspace, all others from this one', () => {
    const here = set('keys.manage', 'system.manage', 'prices.manage');
    expect([...permissionsIn(here, set())]).toEqual(['keys.manage']);
    expect([...permissionsIn(here, set('system.view', 'users.manage'))].sort()).toEqual([
      'keys.manage',
      'system.view',
    ]);
    expect(PERMISSIONS.filter(isInstallationWide)).toEqual([
      'metrics.view',
      'prices.manage',
      'security.manage',
      'system.view',
      'system.manage',
    ]);
  });
});

describe('what a key may do (WT-04)', () => {
  const WITHOUT: readonly KeyScope[] = ['ingest', 'embed', 'chat'];

  it('is the sum of its scopes, and nothing for those of other doors', () => {
    expect([...permissionsOfScopes(['gateway'], true)]).toEqual(['api.request']);
    expect([...permissionsOfScopes(['read'], true)].sort()).toEqual([
      'budgets.view',
      'logs.view',
      'metrics.view',
      'usage.view',
    ]);
    expect(permissionsOfScopes(['admin'], true)).toEqual(ALL_PERMISSIONS);
    for (const scope of WITHOUT) expect([scope, permissionsOfScopes([scope], true).size]).toEqual([scope, 0]);
    expect(permissionsOfScopes(['gateway', 'read'], true).size).toBe(5);
    expect(permissionsOfScopes([], true).size).toBe(0);
    expect(permissionsOfScopes(['root' as KeyScope], true).size).toBe(0);
  });

  it('has nothing of the installation in another workspace, not even with the scope admin', () => {
    for (const scope of KEY_SCOPES)
      for (const permission of permissionsOfScopes([scope], false))
        expect(isInstallationWide(permission)).toBe(false);
    expect(permissionsOfScopes(['admin'], false).has('keys.manage')).toBe(true);
    expect(permissionsOfScopes(['read'], false).has('metrics.view')).toBe(false);
  });

  it('is written down the other way round for the documentation', () => {
    expect(scopesWith('api.request')).toEqual(['gateway', 'admin']);
    expect(scopesWith('keys.manage')).toEqual(['admin']);
    expect(scopesWith('usage.view')).toEqual(['read', 'admin']);
  });
});

describe('who is calling (CF-14, TW-07)', () => {
  it('may do nothing without a credential, and everything through the owner’s socket', () => {
    expect([permissionsOf(ANONYMOUS).size, installationPermissionsOf(ANONYMOUS).size]).toEqual([0, 0]);
    expect(permissionsOf(LOCAL)).toEqual(ALL_PERMISSIONS);
    expect(installationPermissionsOf(LOCAL)).toEqual(ALL_PERMISSIONS);
    for (const permission of PERMISSIONS) expect(allows(ANONYMOUS, permission)).toBe(false);
  });

  it('a session may do what its standing says, here and in the installation', () => {
    const person = session(set('keys.manage'), set('system.view'));
    expect([...permissionsOf(person)]).toEqual(['keys.manage']);
    expect([...installationPermissionsOf(person)]).toEqual(['system.view']);
    expect([allows(person, 'keys.manage'), allows(person, 'system.view')]).toEqual([true, false]);
  });

  it('a key of another workspace may do nothing to the installation', () => {
    expect(installationPermissionsOf(key(['admin'], false)).size).toBe(0);
    expect(installationPermissionsOf(key(['admin'], true))).toEqual(ALL_PERMISSIONS);
    expect(installationPermissionsOf(key(['gateway'], true))).toEqual(set('api.request'));
    expect(allows(key(['admin'], false), 'system.manage')).toBe(false);
  });

  it('belongs to a workspace, and a bound key to a project of it', () => {
    expect([ANONYMOUS, LOCAL, key([]), session(set(), set())].map(workspaceOf)).toEqual([
      null,
      'w3',
      'w1',
      'w2',
    ]);
    expect(visibleProject(key(['read'], true, 'p1'))).toBe('p1');
    expect(visibleProject(key(['read']))).toBeNull();
    expect([ANONYMOUS, LOCAL, session(set(), set())].map(visibleProject)).toEqual([null, null, null]);
  });

  it('has a credential of its own, which no other kind can look like', () => {
    const ids = [ANONYMOUS, LOCAL, key([]), session(set(), set())].map(credentialId);
    expect(ids).toEqual(['anonymous', 'local', 'key:k1', 'session:h1']);
    expect(sessionCredential('x')).not.toBe(keyCredential('x'));
  });

  it('hands out nothing that it does not hold, and is told what is missing', () => {
    const person = session(set('keys.manage', 'usage.view'), set());
    expect(() => assertHolds(person, set('usage.view', 'keys.manage'), 'this key')).not.toThrow();
    expect(() => assertHolds(person, [], 'this key')).not.toThrow();
    expect(() => assertHolds(person, set('usage.view', 'users.manage', 'audit.view'), 'this key')).toThrow(
      /this key: it carries users\.manage, audit\.view, which you do not hold/,
    );
    expect(() => assertHolds(ANONYMOUS, set('usage.view'), 'x')).toThrow();
  });
});
