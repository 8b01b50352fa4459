import type { PasskeyRow } from '@tallygate/server/store/ports/passkeys';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { withPeople } from './store-conformance-people.ts';

const passkey: PasskeyRow = {
  id: 'a'.repeat(64),
  userId: 'u1',
  credentialId: 'c'.repeat(1_300),
  publicKey: 'p'.repeat(400),
  signCount: 0,
  transports: ['internal', 'hybrid'],
  rpId: 'gate.example',
  name: 'Zoë’s phone 📱',
  createdAtMs: 20,
  lastUsedAtMs: null,
};
const second: PasskeyRow = { ...passkey, id: 'b'.repeat(64), createdAtMs: 21 };

export function passkeyConformance(bench: StoreBench): void {
  describe('passkeys (CF-13)', () => {
    it('keeps, lists, renames and finds them, and says who has how many', async () => {
      const { passkeys, people } = await withPeople(bench);
      expect(await passkeys.hasSecondFactor('u1')).toBe(false);
      expect(await passkeys.insertPasskey(passkey, ['h1', 'h2'])).toBe(true);
      expect(await passkeys.insertPasskey(second, null)).toBe(true);
      expect(await passkeys.insertPasskey({ ...second, userId: 'u2' }, ['h3'])).toBe(false);
      expect(await people.countRecoveryCodes('u2')).toBe(0);
      expect(await passkeys.listPasskeys('u1')).toEqual([passkey, second]);
      expect(await passkeys.hasSecondFactor('u1')).toBe(true);
      expect(await passkeys.renamePasskey('u2', passkey.id, 'stolen')).toBe(false);
      expect(await passkeys.renamePasskey('u1', passkey.id, 'laptop')).toBe(true);
      expect(await passkeys.findPasskey(passkey.id)).toEqual({ ...passkey, name: 'laptop' });
      expect(await passkeys.findPasskey('nobody')).toBeNull();
      const users = await people.listMembers('ws');
      expect(users.map((row) => [row.id, row.secondFactor, row.passkeys])).toEqual([
        ['u1', true, 2],
        ['u2', false, 0],
        ['u3', false, 0],
      ]);
    });

    it('counts one of several uses with the same counter', async () => {
      const store = await withPeople(bench);
      const other = await bench.open('ledger');
      const known = { ...passkey, signCount: 3 };
      await store.passkeys.insertPasskey(known, null);
      const uses = await Promise.all(
        [store, other, store, other].map((it) => it.passkeys.usePasskey(known, { signCount: 4, atMs: 50 })),
      );
      expect(uses.filter(Boolean)).toHaveLength(1);
      expect(await store.passkeys.findPasskey(known.id)).toEqual({
        ...known,
        signCount: 4,
        lastUsedAtMs: 50,
      });
    });

    it('takes a challenge once, whoever asks first, and forgets those that ended (X-08)', async () => {
      const store = await withPeople(bench);
      const other = await bench.open('ledger');
      const at = { nowMs: 10, expiresAtMs: 20 };
      const takers = [store, other, store, other].map((it) => it.passkeys.spendChallenge('c1', at));
      expect((await Promise.all(takers)).filter(Boolean)).toHaveLength(1);
      expect(await other.passkeys.spendChallenge('c1', { nowMs: 19, expiresAtMs: 29 })).toBe(false);
      expect(await store.passkeys.spendChallenge('c1', { nowMs: 20, expiresAtMs: 30 })).toBe(true);
    });

    it('keeps recovery codes as long as there is a second factor of any kind', async () => {
      const { passkeys, people } = await withPeople(bench);
      const totp = { userId: 'u1', sealedSecret: 's', confirmedAtMs: null, lastStep: 0, createdAtMs: 20 };
      await passkeys.insertPasskey(passkey, ['h1', 'h2']);
      await people.offerTotp(totp);
      await people.confirmTotp(totp, { atMs: 30, step: 7, codeHashes: ['h3'] });
      expect(await people.deleteTotp('u1')).toBe(true);
      expect(await people.countRecoveryCodes('u1')).toBe(1);
      expect(await passkeys.deletePasskey('u2', passkey.id)).toBe(false);
      expect(await passkeys.deletePasskey('u1', passkey.id)).toBe(true);
      expect(await people.countRecoveryCodes('u1')).toBe(0);
      await passkeys.insertPasskey(passkey, ['h4']);
      await passkeys.insertPasskey(second, null);
      await passkeys.deletePasskey('u1', second.id);
      expect(await people.countRecoveryCodes('u1')).toBe(1);
      expect(await passkeys.deleteSecondFactors('u1')).toBe(true);
      expect(await passkeys.deleteSecondFactors('u1')).toBe(false);
      expect([await people.countRecoveryCodes('u1'), await passkeys.listPasskeys('u1')]).toEqual([0, []]);
    });

    it('go with their user', async () => {
      const { passkeys, people } = await withPeople(bench);
      await passkeys.insertPasskey({ ...passkey, userId: 'u3' }, null);
      await people.removeMember({ userId: 'u3', workspaceId: 'ws' });
      expect(await passkeys.findPasskey(passkey.id)).toBeNull();
    });
  });
}
