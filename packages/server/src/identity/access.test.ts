import { FIRST, type IdentityWorld, SECOND, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES, isInstallationWide, PERMISSIONS, type Permission } from './permissions.ts';

let world: IdentityWorld;
beforeEach(async () => {
  world = await startIdentityWorld();
});
afterEach(() => world.close());

const OWNER = 'user-olga';
const sorted = (permissions: Iterable<Permission> | undefined): Permission[] =>
  [...(permissions ?? [])].sort();
const installationWide = PERMISSIONS.filter(isInstallationWide);

describe('where somebody stands (CF-14, TW-07)', () => {
  it('is nowhere for somebody who belongs to no workspace, whichever they ask for', async () => {
    for (const chosen of [null, FIRST, SECOND])
      expect(await world.access.standingOf('nobody', chosen)).toBeNull();
  });

  it('is the workspace they chose while they belong to it, else the first one, else their own', async () => {
    const both = await world.addUser('berta', { [SECOND]: 'admin', [FIRST]: 'viewer' });
    const other = await world.addUser('carl', { [SECOND]: 'manager' });
    const placeOf = async (userId: string, chosen: string | null) => {
      const standing = await world.access.standingOf(userId, chosen);
      return `${standing?.workspaceId} ${standing?.role}`;
    };
    expect(await placeOf(both.id, SECOND)).toBe(`${SECOND} admin`);
    expect(await placeOf(both.id, FIRST)).toBe(`${FIRST} viewer`);
    expect(await placeOf(both.id, null)).toBe(`${FIRST} viewer`);
    expect(await placeOf(both.id, 'w-that-is-gone')).toBe(`${FIRST} viewer`);
    expect(await placeOf(other.id, null)).toBe(`${SECOND} manager`);
    expect(await placeOf(other.id, FIRST)).toBe(`${SECOND} manager`);
  });

  it('is any workspace for owners of the first one, and for no other role of it', async () => {
    expect(await world.access.standingOf(OWNER, SECOND)).toMatchObject({
      workspaceId: SECOND,
      role: 'owner',
    });
    for (const role of ['admin', 'manager', 'developer', 'viewer', 'auditor']) {
      const user = await world.addUser(role, { [FIRST]: role });
      expect((await world.access.standingOf(user.id, SECOND))?.workspaceId).toBe(FIRST);
    }
  });

  it('an owner of another workspace owns that one alone', async () => {
    const user = await world.addUser('dora', { [SECOND]: 'owner' });
    expect((await world.access.standingOf(user.id, FIRST))?.workspaceId).toBe(SECOND);
  });

  it('a membership of one’s own counts before what owning the installation would give', async () => {
    await world.store.people.addMember({
      userId: OWNER,
      workspaceId: SECOND,
      role: 'viewer',
      createdAtMs: 1,
    });
    const standing = await world.access.standingOf(OWNER, SECOND);
    expect([standing?.role, standing?.permissions.has('keys.manage')]).toEqual(['viewer', false]);
  });
});

describe('what somebody may do there (CF-14, TW-07)', () => {
  it('is what the role carries in the first workspace, for the installation too', async () => {
    for (const [role, carried] of Object.entries(BUILT_IN_ROLES)) {
      const user = await world.addUser(`first-${role}`, { [FIRST]: role });
      const standing = await world.access.standingOf(user.id, null);
      expect([role, sorted(standing?.permissions)]).toEqual([role, sorted(carried)]);
      expect([role, sorted(standing?.installationPermissions)]).toEqual([role, sorted(carried)]);
    }
  });

  it('has nothing of the installation in another workspace, even for its owner', async () => {
    for (const [role, carried] of Object.entries(BUILT_IN_ROLES)) {
      const user = await world.addUser(`second-${role}`, { [SECOND]: role });
      const standing = await world.access.standingOf(user.id, null);
      const expected = sorted(carried).filter((permission) => !isInstallationWide(permission));
      expect([role, sorted(standing?.permissions)]).toEqual([role, expected]);
      expect([role, sorted(standing?.installationPermissions)]).toEqual([role, []]);
    }
  });

  it('keeps what the first workspace gives of the installation while they look at another', async () => {
    const user = await world.addUser('emil', { [FIRST]: 'admin', [SECOND]: 'viewer' });
    const standing = await world.access.standingOf(user.id, SECOND);
    const carried = sorted(BUILT_IN_ROLES.viewer);
    const ofFirst = installationWide.filter((permission) => BUILT_IN_ROLES.admin?.has(permission));
    expect(sorted(standing?.permissions)).toEqual(sorted([...carried, ...ofFirst]));
    expect(standing?.permissions.has('keys.manage')).toBe(false);
    expect(standing?.permissions.has('system.manage')).toBe(false);
    expect(sorted(standing?.installationPermissions)).toEqual(sorted(BUILT_IN_ROLES.admin));
  });

  it('is what a role that somebody made carries, without names this program does not know', async () => {
    const permissions = ['keys.manage', 'prices.manage', 'rockets.launch', 'constructor', 'toString'];
    await world.store.people.insertRole({ name: 'keeper', permissions, createdAtMs: 1 });
    expect(sorted((await world.access.permissionsOfRole('keeper', FIRST)) ?? [])).toEqual([
      'keys.manage',
      'prices.manage',
    ]);
    expect(sorted((await world.access.permissionsOfRole('keeper', SECOND)) ?? [])).toEqual(['keys.manage']);
    const user = await world.addUser('frida', { [FIRST]: 'keeper' });
    expect(sorted((await world.access.standingOf(user.id, null))?.permissions)).toEqual([
      'keys.manage',
      'prices.manage',
    ]);
  });

  it('is nothing under a role that is not there, also one named after what every object has', async () => {
    for (const role of ['gone', '', 'constructor', '__proto__', 'hasOwnProperty', 'Owner'])
      expect([role, await world.access.permissionsOfRole(role, FIRST)]).toEqual([role, null]);
    const user = await world.addUser('gustav', { [FIRST]: '__proto__' });
    const standing = await world.access.standingOf(user.id, null);
    expect([standing?.permissions.size, standing?.installationPermissions.size]).toEqual([0, 0]);
  });

  it('a role that somebody made cannot take the place of a built-in one', async () => {
    await world.store.people.insertRole({ name: 'viewer', permissions: ['system.manage'], createdAtMs: 1 });
    expect((await world.access.permissionsOfRole('viewer', FIRST))?.has('system.manage')).toBe(false);
  });

  it('changes with the role, at the next question', async () => {
    const user = await world.addUser('hanna', { [FIRST]: 'admin' });
    await world.store.people.updateMember({ userId: user.id, workspaceId: FIRST }, { role: 'viewer' });
    expect((await world.access.standingOf(user.id, null))?.permissions.has('keys.manage')).toBe(false);
  });
});

describe('roles that need a second factor (CF-13)', () => {
  it('are none until somebody says so, each once', async () => {
    expect(await world.access.secondFactorRoles()).toEqual([]);
    await world.access.requireSecondFactor(['owner', 'admin', 'owner']);
    expect(await world.access.secondFactorRoles()).toEqual(['owner', 'admin']);
    await world.access.requireSecondFactor([]);
    expect(await world.access.secondFactorRoles()).toEqual([]);
  });

  it('bind whoever has one of them in any workspace and no factor', async () => {
    const user = await world.addUser('ida', { [FIRST]: 'viewer', [SECOND]: 'admin' });
    expect(await world.access.mustEnrol(user.id)).toBe(false);
    await world.access.requireSecondFactor(['admin']);
    expect(await world.access.roleWithSecondFactor(user.id)).toBe('admin');
    expect(await world.access.mustEnrol(user.id)).toBe(true);
    expect(await world.access.mustEnrol(OWNER)).toBe(false);
    await world.secondFactor.offer(user);
    expect(await world.access.mustEnrol(user.id)).toBe(true); // an offer is no factor
    await world.store.people.updateMember({ userId: user.id, workspaceId: SECOND }, { role: 'viewer' });
    expect(await world.access.mustEnrol(user.id)).toBe(false);
  });

  it('are satisfied with an app or a passkey, and ask again once it is gone', async () => {
    const user = await world.addUser('jan', { [SECOND]: 'admin' });
    await world.access.requireSecondFactor(['admin']);
    const row = { userId: user.id, sealedSecret: 's', confirmedAtMs: null, lastStep: 0, createdAtMs: 1 };
    await world.store.people.offerTotp(row);
    await world.store.people.confirmTotp(row, { atMs: 2, step: 1, codeHashes: [] });
    expect(await world.access.mustEnrol(user.id)).toBe(false);
    await world.store.people.deleteTotp(user.id);
    expect(await world.access.mustEnrol(user.id)).toBe(true);
  });
});
