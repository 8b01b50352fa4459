import type { EntryLinkRow, TotpRow } from '@tallygate/server/store/ports/people';
import type { UserRow } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { owner, session, user, workspace } from './store-conformance-config.ts';

const link: EntryLinkRow = {
  id: 'l1',
  codeHash: 'e'.repeat(64),
  workspaceId: 'ws',
  role: 'viewer',
  userId: null,
  note: 'für Zoë',
  createdBy: 'u1',
  createdAtMs: 10,
  expiresAtMs: 100,
};
const totp: TotpRow = {
  userId: 'u1',
  sealedSecret: 'sealed-1',
  confirmedAtMs: null,
  lastStep: 0,
  createdAtMs: 20,
};
const named = (id: string, change: Partial<UserRow> = {}): UserRow => ({
  ...user,
  id,
  username: id,
  ...change,
});

const member = (userId: string, workspaceId = 'ws') => ({ userId, workspaceId });

/** Two owners and a viewer; people beyond the first come through invitations. */
export async function withPeople(bench: StoreBench) {
  const store = await bench.open('main');
  await store.config.ensureWorkspace(workspace);
  await store.identity.insertFirstUser(user, owner);
  for (const [id, role] of [
    ['u2', 'owner'],
    ['u3', 'viewer'],
  ] as const) {
    await store.people.insertLink({ ...link, id: `for-${id}`, codeHash: id, role });
    await store.people.acceptInvitation(`for-${id}`, named(id));
  }
  return store;
}

export function peopleConformance(bench: StoreBench): void {
  describe('people (CF-14)', () => {
    it('lists users with their second factor and when they were last seen', async () => {
      const { people, identity } = await withPeople(bench);
      await identity.insertSession({ ...session, lastSeenAtMs: 40 });
      await identity.insertSession({ ...session, idHash: 'f'.repeat(64), lastSeenAtMs: 41 });
      await people.offerTotp(totp);
      const before = await people.listMembers('ws');
      expect(before.map((row) => [row.username, row.secondFactor, row.lastSeenAtMs])).toEqual([
        ['owner', false, 41],
        ['u2', false, null],
        ['u3', false, null],
      ]);
      await people.confirmTotp(totp, { atMs: 30, step: 7, codeHashes: [] });
      expect((await people.listMembers('ws'))[0]).toEqual({
        ...user,
        role: 'owner',
        workspaceIds: ['ws'],
        secondFactor: true,
        app: true,
        passkeys: 0,
        sso: false,
        lastSeenAtMs: 41,
      });
    });

    it('never lets the last owner go: not by role, by disabling or by removal', async () => {
      const { people } = await withPeople(bench);
      expect(await people.updateMember(member('u2'), { disabledAtMs: 50 })).toBe('changed');
      expect(await people.updateMember(member('u1'), { role: 'admin' })).toBe('last_owner');
      expect(await people.updateMember(member('u1'), { disabledAtMs: 50 })).toBe('last_owner');
      expect(await people.removeMember(member('u1'))).toBe('last_owner');
      expect(await people.updateMember(member('u1'), { role: 'owner' })).toBe('changed');
      expect(await people.updateMember(member('nobody'), { role: 'admin' })).toBe('missing');
      expect(await people.updateMember(member('u2'), { disabledAtMs: null })).toBe('changed');
      expect(await people.removeMember(member('u1'))).toBe('changed');
      expect(await people.removeMember(member('u2'))).toBe('last_owner');
      expect(await people.removeMember(member('u3'))).toBe('changed');
    });

    it('keeps one owner when all are taken away at once, in every way and through several connections', async () => {
      const store = await withPeople(bench);
      const other = await bench.open('ledger');
      const results = await Promise.all([
        store.people.removeMember(member('u1')),
        other.people.updateMember(member('u2'), { role: 'viewer' }),
        other.people.updateMember(member('u1'), { disabledAtMs: 9 }),
        store.people.updateMember(member('u2'), { disabledAtMs: 9 }),
      ]);
      expect(results).toContain('last_owner');
      const owners = (await store.people.listMembers('ws')).filter(
        (row) => row.role === 'owner' && row.disabledAtMs === null,
      );
      expect(owners).toHaveLength(1);
    });

    it('knows people by workspace: another role in each, and gone with the last of them', async () => {
      const { people, identity, config } = await withPeople(bench);
      const elsewhere = { id: 'ws2', slug: 'two', name: 'Two', allowedAddresses: [], createdAtMs: 9 };
      const first = {
        ...elsewhere,
        workspaceId: 'ws2',
        id: 'p2',
        slug: 'default',
        disconnectPolicy: 'abort' as const,
        environment: 'production' as const,
      };
      await config.insertWorkspace(elsewhere, first);
      const joined = { ...member('u3', 'ws2'), role: 'owner', createdAtMs: 99 };
      await people.addMember(joined);
      await expect(people.addMember(joined)).rejects.toMatchObject({ code: 'name_taken' });
      expect(await people.listMembers('ws2')).toMatchObject([
        { id: 'u3', role: 'owner', workspaceIds: ['ws', 'ws2'] },
      ]);
      expect(await people.listMemberships('u3')).toEqual([
        { ...member('u3'), role: 'viewer', createdAtMs: 5 },
        joined,
      ]);
      expect(await people.listMemberships(null)).toHaveLength(4);
      expect(await people.updateMember(member('u1', 'ws2'), { role: 'viewer' })).toBe('missing');
      expect(await people.updateMember(member('u3', 'ws2'), { role: 'viewer' })).toBe('last_owner');
      expect(await people.updateMember(member('u3'), { disabledAtMs: 3 })).toBe('last_owner');
      expect(await people.removeMember(member('u3', 'ws2'))).toBe('last_owner');
      expect(await people.removeMember(member('u3'))).toBe('changed');
      expect(await identity.findUser('u3')).not.toBeNull();
      await people.insertLink({ ...link, workspaceId: 'ws2' });
      expect(await people.listLinks('ws', 0)).toEqual([]);
      expect(await people.listLinks('ws2', 0)).toHaveLength(1);
      expect(await people.acceptInvitation('l1', named('u4'))).toBe(true);
      expect(await people.updateMember(member('u4', 'ws2'), { role: 'owner' })).toBe('changed');
      expect(await people.removeMember(member('u3', 'ws2'))).toBe('changed');
      expect(await identity.findUser('u3')).toBeNull();
    });

    it('ends sessions and links of a user who is disabled, and takes everything of a removed one along', async () => {
      const { people, identity } = await withPeople(bench);
      await identity.insertSession({ ...session, userId: 'u3' });
      await people.insertLink({ ...link, id: 'reset', workspaceId: null, role: null, userId: 'u3' });
      await people.updateMember(member('u3'), { disabledAtMs: 60 });
      expect(await people.listSessions('u3')).toEqual([]);
      expect(await people.listLinks(null, 0)).toEqual([]);
      await identity.insertSession({ ...session, userId: 'u3' });
      await people.insertLink({ ...link, id: 'reset', workspaceId: null, role: null, userId: 'u3' });
      await people.offerTotp({ ...totp, userId: 'u3' });
      await people.replaceRecoveryCodes('u3', ['a']);
      expect(await people.removeMember(member('u3'))).toBe('changed');
      expect(await people.listSessions(null)).toEqual([]);
      expect(await people.listLinks(null, 0)).toEqual([]);
      expect(await people.findTotp('u3')).toBeNull();
      expect(await people.countRecoveryCodes('u3')).toBe(0);
    });

    it('stores roles, and deletes none that somebody has or is invited to', async () => {
      const { people } = await withPeople(bench);
      const role = { name: 'support', permissions: ['logs.view'], createdAtMs: 3 };
      await people.insertRole(role);
      await expect(people.insertRole(role)).rejects.toMatchObject({ code: 'name_taken' });
      expect(await people.updateRole('support', ['logs.view', 'usage.view'])).toBe(true);
      expect(await people.updateRole('nobody', [])).toBe(false);
      expect(await people.listRoles()).toEqual([{ ...role, permissions: ['logs.view', 'usage.view'] }]);
      await people.insertLink({ ...link, role: 'support' });
      expect(await people.deleteRole('support')).toBe('in_use');
      await people.deleteLink('l1');
      await people.updateMember(member('u3'), { role: 'support' });
      expect(await people.deleteRole('support')).toBe('in_use');
      await people.updateMember(member('u3'), { role: 'viewer' });
      expect(await people.deleteRole('support')).toBe('deleted');
      expect(await people.deleteRole('support')).toBe('missing');
    });

    it('knows a link until it expires, and lets one of many use it', async () => {
      const store = await withPeople(bench);
      const other = await bench.open('ledger');
      await store.people.insertLink(link);
      expect(await store.people.findLink(link.codeHash, 99)).toEqual(link);
      expect(await store.people.findLink(link.codeHash, 100)).toBeNull();
      expect(await store.people.listLinks(null, 99)).toEqual([link]);
      for (const username of ['owner', 'OWNER']) {
        await expect(store.people.acceptInvitation('l1', named('x', { username }))).rejects.toMatchObject({
          code: 'name_taken',
        });
      }
      const won = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          (i % 2 === 0 ? store : other).people.acceptInvitation('l1', named(`new${i}`)),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.people.listMembers('ws')).toHaveLength(4);
      await store.people.insertLink(link);
      await store.people.deleteExpiredLinks(100);
      expect(await store.people.listLinks(null, 0)).toEqual([]);
    });

    it('sets a new password through a link once, ending the sessions', async () => {
      const { people, identity } = await withPeople(bench);
      await identity.insertSession(session);
      await people.insertLink({ ...link, workspaceId: null, role: null, userId: 'u1' });
      expect(await people.acceptNewPassword('l1', 'u1', 'new hash')).toBe(true);
      expect(await people.acceptNewPassword('l1', 'u1', 'newer hash')).toBe(false);
      expect((await identity.findUser('u1'))?.passwordHash).toBe('new hash');
      expect(await people.listSessions('u1')).toEqual([]);
    });
  });

  describe('second factors and sessions (CF-13)', () => {
    it('offers a secret until one is confirmed', async () => {
      const { people } = await withPeople(bench);
      expect(await people.offerTotp(totp)).toBe(true);
      const second = { ...totp, sealedSecret: 'sealed-2' };
      expect(await people.offerTotp(second)).toBe(true);
      expect(await people.findTotp('u1')).toEqual(second);
      const confirmed = { atMs: 30, step: 7, codeHashes: ['a', 'b'] };
      expect(await people.confirmTotp(totp, confirmed)).toBe(false);
      expect(await people.confirmTotp(second, confirmed)).toBe(true);
      expect(await people.confirmTotp(second, confirmed)).toBe(false);
      expect(await people.offerTotp(totp)).toBe(false);
      expect(await people.findTotp('u1')).toEqual({ ...second, confirmedAtMs: 30, lastStep: 7 });
      expect(await people.deleteTotp('u1')).toBe(true);
      expect(await people.deleteTotp('u1')).toBe(false);
      expect(await people.countRecoveryCodes('u1')).toBe(0);
    });

    it('takes a code of a time step once, a recovery code once, and a try at a time', async () => {
      const store = await withPeople(bench);
      const { people, identity } = store;
      const other = await bench.open('ledger');
      const both = <T>(work: (people: typeof store.people) => Promise<T>) =>
        Promise.all(Array.from({ length: 6 }, (_, i) => work((i % 2 === 0 ? store : other).people)));
      await people.offerTotp(totp);
      await people.confirmTotp(totp, { atMs: 30, step: 7, codeHashes: ['a', 'b'] });
      expect(await people.takeTotpStep('u1', 7)).toBe(false);
      expect((await both((it) => it.takeTotpStep('u1', 8))).filter(Boolean)).toHaveLength(1);
      expect((await both((it) => it.takeRecoveryCode('u1', 'a', 40))).filter(Boolean)).toHaveLength(1);
      expect(await people.takeRecoveryCode('u2', 'b', 40)).toBe(false);
      expect(await people.countRecoveryCodes('u1')).toBe(1);
      await identity.insertSession({ ...session, secondFactorTries: 3 });
      expect((await both((it) => it.takeSecondFactorTry(session.idHash))).filter(Boolean)).toHaveLength(3);
      expect((await identity.findSession(session.idHash))?.secondFactorTries).toBe(0);
    });

    it('lists and ends sessions: all but one, of one, of everybody', async () => {
      const { people, identity } = await withPeople(bench);
      const at = (n: number, userId: string) => ({
        ...session,
        userId,
        idHash: String(n).repeat(64),
        lastSeenAtMs: n,
      });
      const rows = [at(1, 'u1'), at(2, 'u1'), at(3, 'u1'), at(4, 'u2')];
      for (const row of rows) await identity.insertSession(row);
      expect(await people.listSessions('u1')).toEqual([rows[2], rows[1], rows[0]]);
      expect(await people.listSessions(null)).toHaveLength(4);
      expect((await people.endSessions('u1', rows[1]?.idHash ?? '')).sort()).toEqual([
        rows[0]?.idHash,
        rows[2]?.idHash,
      ]);
      expect(await people.listSessions('u1')).toEqual([rows[1]]);
      expect(await people.endSessions('u1', null)).toEqual([rows[1]?.idHash]);
      await people.endAllSessions();
      expect(await people.listSessions(null)).toEqual([]);
    });
  });
}
