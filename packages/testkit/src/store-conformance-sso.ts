import type { SsoIdentityRow } from '@tallygate/server/store/ports/sso';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { user } from './store-conformance-config.ts';
import { withPeople } from './store-conformance-people.ts';

const identity: SsoIdentityRow = {
  id: 'a'.repeat(64),
  userId: 'u9',
  issuer: 'https://id.example/realms/ü',
  subject: 's'.repeat(255),
  managed: true,
  createdAtMs: 20,
  lastUsedAtMs: 20,
};
const zoe = { ...user, id: 'u9', username: 'zoe', passwordHash: '' };
const member = { workspaceId: 'ws', role: 'viewer' };

export function ssoConformance(bench: StoreBench): void {
  describe('identities of providers (CF-14)', () => {
    it('makes user and identity together, or neither', async () => {
      const { sso, identity: users, people } = await withPeople(bench);
      for (const username of ['u2', 'U2'])
        expect(await sso.insertSsoUser({ ...zoe, username }, [member], identity)).toBe(false);
      expect(await sso.findSsoIdentity(identity.id)).toBeNull();
      expect(await sso.insertSsoUser(zoe, [member], identity)).toBe(true);
      expect(await users.findUser('u9')).toEqual(zoe);
      const other = { ...zoe, id: 'u10', username: 'other' };
      expect(await sso.insertSsoUser(other, [member], { ...identity, userId: 'u10' })).toBe(false);
      expect(await users.findUser('u10')).toBeNull();
      expect(await sso.findSsoIdentityOf('u9')).toEqual(identity);
      const listed = (await people.listMembers('ws')).filter((row) => row.sso);
      expect(listed.map((row) => row.id)).toEqual(['u9']);
    });

    it('gives one user one identity, and one of many at once gets it', async () => {
      const store = await withPeople(bench);
      const other = await bench.open('ledger');
      const mine = (n: number) => ({ ...identity, userId: `u${n}`, managed: false });
      const results = await Promise.all([
        store.sso.insertSsoIdentity(mine(1)),
        other.sso.insertSsoIdentity(mine(2)),
        store.sso.insertSsoIdentity(mine(3)),
      ]);
      expect(results.filter(Boolean)).toHaveLength(1);
      const owner = (await store.sso.findSsoIdentity(identity.id))?.userId ?? '';
      const second = { ...identity, id: 'b'.repeat(64), userId: owner };
      expect(await store.sso.insertSsoIdentity(second)).toBe(false);
      await store.sso.useSsoIdentity(identity.id, 77);
      expect(await store.sso.findSsoIdentityOf(owner)).toMatchObject({ lastUsedAtMs: 77, managed: false });
      expect(await store.sso.deleteSsoIdentityOf(owner)).toBe(true);
      expect(await store.sso.deleteSsoIdentityOf(owner)).toBe(false);
    });

    it('goes with its user', async () => {
      const { sso, people } = await withPeople(bench);
      await sso.insertSsoUser(zoe, [member], identity);
      await people.removeMember({ userId: 'u9', workspaceId: 'ws' });
      expect(await sso.findSsoIdentity(identity.id)).toBeNull();
    });
  });
}
