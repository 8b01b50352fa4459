import {
  FIRST,
  type IdentityWorld,
  ORIGIN,
  SECOND,
  startIdentityWorld,
} from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptEntryLink, findEntryLink, type LinkPurpose, makeEntryLink } from './entry-link.ts';
import { sha256Hex } from './token.ts';

const PASSWORD = 'seven quiet otters paddle';
const HOUR_MS = 3_600_000;
const INVITATION: LinkPurpose = { workspaceId: SECOND, role: 'manager', note: 'for Ida' };

let world: IdentityWorld;
beforeEach(async () => {
  world = await startIdentityWorld();
});
afterEach(() => world.close());

const make = async (purpose: LinkPurpose, lifetimeMs = HOUR_MS) => {
  const { row, code } = await makeEntryLink(world, purpose, { createdBy: 'user-olga', lifetimeMs });
  return { row, code: code.reveal() };
};
const accept = (code: string, input: { username?: string; password?: string } = {}) =>
  acceptEntryLink(world, { code, password: PASSWORD, ...input });
const INVALID = { code: 'link_invalid' };

describe('a one-time link (CF-14)', () => {
  it('has a code of 256 bits, of which the hash alone is stored', async () => {
    const [one, other] = [await make(INVITATION), await make(INVITATION)];
    expect(Buffer.from(one.code, 'base64url')).toHaveLength(32);
    expect(one.code).not.toBe(other.code);
    expect(one.row).toMatchObject({
      codeHash: sha256Hex(one.code),
      workspaceId: SECOND,
      role: 'manager',
      userId: null,
      note: 'for Ida',
      createdBy: 'user-olga',
      expiresAtMs: world.clock.ms + HOUR_MS,
    });
    expect(JSON.stringify(await world.store.people.listLinks(null, world.clock.ms))).not.toContain(one.code);
  });

  it('is found by its code alone, until it ends, to the millisecond', async () => {
    const { code, row } = await make(INVITATION);
    expect((await findEntryLink(world, code)).link.id).toBe(row.id);
    for (const text of ['', row.codeHash, code.slice(1), `${code} `, row.id])
      await expect(findEntryLink(world, text)).rejects.toMatchObject(INVALID);
    world.clock.ms += HOUR_MS - 1;
    expect((await findEntryLink(world, code)).user).toBeNull();
    world.clock.ms += 1;
    await expect(findEntryLink(world, code)).rejects.toMatchObject(INVALID);
    await expect(accept(code, { username: 'ida' })).rejects.toMatchObject(INVALID);
  });

  it('those that ended go with the next one that is made', async () => {
    await make(INVITATION);
    world.clock.ms += HOUR_MS;
    const { row } = await make(INVITATION);
    expect((await world.store.people.listLinks(null, 0)).map(({ id }) => id)).toEqual([row.id]);
  });
});

describe('an invitation (CF-14)', () => {
  it('makes a user with its role in its workspace and in no other, once', async () => {
    const { code } = await make(INVITATION);
    const ida = await accept(code, { username: 'ida' });
    expect(await world.store.people.listMemberships(ida.id)).toMatchObject([
      { workspaceId: SECOND, role: 'manager' },
    ]);
    expect(await world.hasher.verify(ida.passwordHash, PASSWORD)).toBe(true);
    await expect(accept(code, { username: 'eve' })).rejects.toMatchObject(INVALID);
    await expect(findEntryLink(world, code)).rejects.toMatchObject(INVALID);
  });

  it('of several who use it at once one gets in', async () => {
    const { code } = await make(INVITATION);
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => accept(code, { username: `ida${i}` })),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await world.store.identity.countUsers()).toBe(2);
  });

  it('is left as it was by a missing or taken name and by a weak password', async () => {
    const { code } = await make(INVITATION);
    await expect(accept(code)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(accept(code, { username: 'olga' })).rejects.toMatchObject({ code: 'name_taken' });
    await expect(accept(code, { username: 'ida', password: 'password1234' })).rejects.toMatchObject({
      code: 'weak_password',
    });
    await expect(
      accept(code, { username: 'ida-hammerstein', password: 'ida-hammerstein' }),
    ).rejects.toMatchObject({ code: 'weak_password' });
    expect(await world.store.identity.countUsers()).toBe(1);
    expect((await accept(code, { username: 'ida' })).username).toBe('ida');
  });

  it('that was withdrawn while somebody typed lets nobody in', async () => {
    const { code, row } = await make(INVITATION);
    const hasher = {
      ...world.hasher,
      hash: async (password: string) => {
        await world.store.people.deleteLink(row.id);
        return world.hasher.hash(password);
      },
    };
    const input = { code, username: 'ida', password: PASSWORD };
    await expect(acceptEntryLink({ ...world, hasher }, input)).rejects.toMatchObject(INVALID);
    expect(await world.store.identity.findUserByName('ida')).toBeNull();
  });
});

describe('a link to a new password (CF-14, TW-02)', () => {
  it('sets it for its user, whatever name is sent along, and ends every session of theirs', async () => {
    const user = await world.addUser('paul', { [FIRST]: 'manager' });
    const terms = { secondFactor: 'settled', method: 'password' } as const;
    const mine = (await world.sessions.start(user, ORIGIN, terms)).token.reveal();
    const owner = await world.store.identity.findUser('user-olga');
    if (owner === null) throw new Error('the owner is there');
    const theirs = (await world.sessions.start(owner, ORIGIN, terms)).token.reveal();
    const { code, row } = await make({ userId: user.id });
    expect(row).toMatchObject({ role: null, workspaceId: null, note: null, userId: user.id });

    const changed = await accept(code, { username: 'olga' });
    expect([changed.id, changed.username]).toEqual([user.id, 'paul']);
    const stored = await world.store.identity.findUser(user.id);
    expect(await world.hasher.verify(stored?.passwordHash ?? null, PASSWORD)).toBe(true);
    expect(await world.hasher.verify(stored?.passwordHash ?? null, 'password of paul')).toBe(false);
    expect(await world.sessions.find(mine)).toBeNull();
    expect(await world.sessions.find(theirs)).not.toBeNull();
    expect(await world.store.people.listMemberships(user.id)).toMatchObject([{ role: 'manager' }]);
    await expect(accept(code)).rejects.toMatchObject(INVALID);
  });

  it('of several who use it at once one sets the password, and that one holds', async () => {
    const user = await world.addUser('paul');
    const { code } = await make({ userId: user.id });
    const passwords = ['seven quiet otters paddle', 'nine loud geese fly home', 'two old boats at anchor'];
    const tries = await Promise.allSettled(passwords.map((password) => accept(code, { password })));
    const won = tries.findIndex(({ status }) => status === 'fulfilled');
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject(INVALID);
    const stored = await world.store.identity.findUser(user.id);
    for (const [index, password] of passwords.entries())
      expect(await world.hasher.verify(stored?.passwordHash ?? null, password)).toBe(index === won);
  });

  it('that was withdrawn while somebody typed changes nothing, and ends no session', async () => {
    const user = await world.addUser('paul');
    const terms = { secondFactor: 'settled', method: 'password' } as const;
    const mine = (await world.sessions.start(user, ORIGIN, terms)).token.reveal();
    const { code, row } = await make({ userId: user.id });
    const hasher = {
      ...world.hasher,
      hash: async (password: string) => {
        await world.store.people.deleteLink(row.id);
        return world.hasher.hash(password);
      },
    };
    await expect(acceptEntryLink({ ...world, hasher }, { code, password: PASSWORD })).rejects.toMatchObject(
      INVALID,
    );
    expect((await world.store.identity.findUser(user.id))?.passwordHash).toBe(user.passwordHash);
    expect(await world.sessions.find(mine)).not.toBeNull();
  });

  it('is judged with the name of its user', async () => {
    const user = await world.addUser('bartholomaeus');
    const { code } = await make({ userId: user.id });
    await expect(accept(code, { username: 'x', password: 'bartholomaeus' })).rejects.toMatchObject({
      code: 'weak_password',
    });
  });

  it('is worth nothing once the user is disabled or gone', async () => {
    const [off, gone] = [await world.addUser('off'), await world.addUser('gone')];
    const links = [await make({ userId: off.id }), await make({ userId: gone.id })];
    await world.store.people.updateMember({ userId: off.id, workspaceId: FIRST }, { disabledAtMs: 1 });
    await world.store.people.removeMember({ userId: gone.id, workspaceId: FIRST });
    links.push(await make({ userId: off.id })); // made for somebody who is disabled already
    for (const { code } of links) {
      await expect(findEntryLink(world, code)).rejects.toMatchObject(INVALID);
      await expect(accept(code)).rejects.toMatchObject(INVALID);
    }
    const stored = await world.store.identity.findUser(off.id);
    expect(stored?.passwordHash).toBe(off.passwordHash);
  });
});
