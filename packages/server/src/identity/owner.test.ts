import { randomBytes } from 'node:crypto';
import { FIRST, quickHasher } from '@tallygate/testkit/identity-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIdSource } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { Store } from '../store/store.ts';
import { type OwnerParts, seedOwner, setUpOwner } from './owner.ts';
import { createSetupCode, type SetupCode } from './setup-code.ts';

const PASSWORD = 'tall giraffes eat mangoes';

let store: Store;
let parts: OwnerParts;
let setup: SetupCode;
let code: string;
const clock = { now: () => 5, monotonicMs: () => 5 };
beforeEach(async () => {
  store = await openTestStore();
  await store.config.ensureWorkspace({
    id: FIRST,
    slug: 'default',
    name: 'Default',
    allowedAddresses: [],
    createdAtMs: 1,
  });
  parts = {
    store: store.identity,
    clock,
    newId: createIdSource(clock),
    hasher: quickHasher,
    firstWorkspaceId: FIRST,
  };
  setup = createSetupCode(randomBytes);
  code = setup.issue().reveal();
});
afterEach(() => store.close());

const setUp = (change: Partial<{ code: string; username: string; password: string }> = {}) =>
  setUpOwner({ ...parts, setup }, { code, username: 'maria', password: PASSWORD, ...change });

describe('setting up the owner (WT-11, TW-01)', () => {
  it('makes one user, with the role owner in the first workspace and a hashed password', async () => {
    const owner = await setUp();
    expect(owner).toMatchObject({ username: 'maria', createdAtMs: 5, disabledAtMs: null });
    expect(owner.passwordHash).not.toContain(PASSWORD);
    expect(await quickHasher.verify(owner.passwordHash, PASSWORD)).toBe(true);
    expect(await store.people.listMemberships(owner.id)).toMatchObject([
      { workspaceId: FIRST, role: 'owner' },
    ]);
    expect(setup.pending).toBe(false);
  });

  it('is done once: a right code makes no second owner', async () => {
    await setUp();
    const again = createSetupCode(randomBytes);
    const input = { code: again.issue().reveal(), username: 'eve', password: PASSWORD };
    await expect(setUpOwner({ ...parts, setup: again }, input)).rejects.toMatchObject({ code: 'setup_done' });
    expect(await store.identity.countUsers()).toBe(1);
  });

  it('a wrong code, a weak password and a failing store leave the code for another try', async () => {
    await expect(setUp({ code: `${code}x` })).rejects.toMatchObject({ code: 'setup_code_invalid' });
    await expect(setUp({ code: '' })).rejects.toMatchObject({ code: 'setup_code_invalid' });
    await expect(setUp({ password: 'change_me_please' })).rejects.toMatchObject({ code: 'weak_password' });
    await expect(
      setUp({ username: 'maria-of-the-gate', password: 'maria-of-the-gate' }),
    ).rejects.toMatchObject({
      code: 'weak_password',
    });
    expect(await store.identity.countUsers()).toBe(0);
    const hasher = { ...quickHasher, hash: () => Promise.reject(new Error('no memory')) };
    await expect(
      setUpOwner({ ...parts, hasher, setup }, { code, username: 'maria', password: PASSWORD }),
    ).rejects.toThrow('no memory');
    expect((await setUp()).username).toBe('maria');
  });

  it('does not tell whether a code is right once there is an owner', async () => {
    await setUp();
    for (const tried of [code, 'wrong'])
      await expect(setUp({ code: tried })).rejects.toMatchObject({ code: 'setup_done' });
  });

  it('of many at once with the right code one wins', async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => setUp({ username: `user${i}` })),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.identity.countUsers()).toBe(1);
  });

  it('of two processes that each print a code one wins', async () => {
    const other = createSetupCode(randomBytes);
    const input = { code: other.issue().reveal(), username: 'eve', password: PASSWORD };
    const tries = await Promise.allSettled([setUp(), setUpOwner({ ...parts, setup: other }, input)]);
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await store.identity.countUsers()).toBe(1);
  });
});

describe('an owner from the settings (TW-03)', () => {
  const seed = (username: string, password = PASSWORD) =>
    seedOwner(parts, { username, password: new Secret(password) });

  it('is made on the first run alone, whatever the settings say later', async () => {
    expect(await seed(' maria ')).toBe('created');
    const before = await store.identity.findUserByName('maria');
    expect(await seed('maria', 'another password entirely')).toBe('ignored');
    expect(await seed('eve')).toBe('ignored');
    // Ignored means not looked at, either: an old file of settings must not keep the server from starting.
    expect(await seed('maria', 'change_me_please')).toBe('ignored');
    expect(await seed('not a name')).toBe('ignored');
    expect(await store.identity.findUserByName('maria')).toEqual(before);
    expect(await store.identity.countUsers()).toBe(1);
  });

  it.each(['', ' ', 'with space', 'a/b', '<b>', 'x'.repeat(65), "o'brien"])(
    'is refused under the name %j, which set-up would refuse as well',
    async (username) => {
      await expect(seed(username)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(await store.identity.countUsers()).toBe(0);
    },
  );

  it('is refused with a password that set-up would refuse, which the error does not repeat', async () => {
    const error: unknown = await seed('maria', 'change_me_please').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'weak_password' });
    expect(String(error)).not.toContain('change_me_please');
    expect(await store.identity.countUsers()).toBe(0);
  });
});
