import {
  FIRST,
  type IdentityWorld,
  ORIGIN,
  SECOND,
  startIdentityWorld,
} from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import type { UserRow } from '../store/store.ts';
import type { Sessions, SessionTerms } from './sessions.ts';
import { csrfTokenOf, sha256Hex } from './token.ts';

const HOUR_MS = 3_600_000;
const SETTLED: SessionTerms = { secondFactor: 'settled', method: 'password' };
const OWED: SessionTerms = { secondFactor: 'owed', method: 'password' };

let world: IdentityWorld;
let user: UserRow;
beforeEach(async () => {
  world = await startIdentityWorld();
  user = await world.addUser('uta', { [FIRST]: 'manager', [SECOND]: 'viewer' });
});
afterEach(() => world.close());

const begin = async (terms = SETTLED, sessions: Sessions = world.sessions): Promise<string> =>
  (await sessions.start(user, ORIGIN, terms)).token.reveal();
const rowOf = async (token: string) => world.store.identity.findSession(sha256Hex(token));

describe('a session (TW-02)', () => {
  it('has a token of 256 random bits, another one each time, stored as a hash alone', async () => {
    const tokens = [await begin(), await begin()];
    for (const token of tokens) {
      expect(Buffer.from(token, 'base64url')).toHaveLength(32);
      expect(JSON.stringify(await rowOf(token))).not.toContain(token);
    }
    expect(tokens[0]).not.toBe(tokens[1]);
    expect((await world.store.people.listSessions(user.id)).map(({ idHash }) => idHash).sort()).toEqual(
      tokens.map(sha256Hex).sort(),
    );
  });

  it('is found by its token alone, with the user, where they stand and how far they have come', async () => {
    const token = await begin();
    const found = await world.sessions.find(token);
    expect(found).toMatchObject({
      workspaceId: FIRST,
      role: 'manager',
      stage: 'full',
      user: { id: user.id },
    });
    expect(found?.row).toMatchObject({ method: 'password', address: ORIGIN.address, workspaceId: null });
    const flipped = `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`;
    for (const other of [
      flipped,
      token.slice(1),
      `${token}A`,
      '',
      sha256Hex(token),
      token.toUpperCase(),
      ` ${token}`,
    ])
      expect([other, await world.sessions.find(other)]).toEqual([other, null]);
  });

  it('keeps where it came from, of a browser’s name no more than has room', async () => {
    const origin = { address: null, userAgent: 'x'.repeat(1_000) };
    const { session } = await world.sessions.start(user, origin, SETTLED);
    expect([session.row.address, session.row.userAgent?.length]).toEqual([null, 256]);
  });

  it('ends on the server, and the others of the user go on', async () => {
    const [one, other] = [await begin(), await begin()];
    await world.sessions.end(sha256Hex(one));
    expect([await world.sessions.find(one), await rowOf(one)]).toEqual([null, null]);
    expect(await world.sessions.find(other)).not.toBeNull();
  });

  it('is over for somebody who was disabled or belongs to nothing any more', async () => {
    const token = await begin();
    await world.store.people.updateMember({ userId: user.id, workspaceId: FIRST }, { disabledAtMs: 1 });
    expect(await world.sessions.find(token)).toBeNull();
    const late = (await world.sessions.start(user, ORIGIN, SETTLED)).token.reveal(); // began before it was known
    expect([await world.sessions.find(late), await rowOf(late)]).toMatchObject([null, { userId: user.id }]);
    const guest = await world.addUser('gast');
    const left = (await world.sessions.start(guest, ORIGIN, SETTLED)).token.reveal();
    await world.store.people.removeMember({ userId: guest.id, workspaceId: FIRST });
    expect(await world.sessions.find(left)).toBeNull();
    await expect(world.sessions.start(guest, ORIGIN, SETTLED)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect(await world.store.people.listSessions(guest.id)).toEqual([]);
  });
});

describe('the time of a session (TW-02)', () => {
  const at = (ms: number): void => {
    world.clock.ms = ms;
  };

  it('ends at its age, however busy, to the millisecond', async () => {
    const startedMs = world.clock.ms;
    const token = await begin();
    for (let half = 1; half < 48; half++) {
      at(startedMs + (half * HOUR_MS) / 2); // never idle for an hour
      expect(await world.sessions.find(token)).not.toBeNull();
    }
    at(startedMs + 24 * HOUR_MS - 1);
    expect(await world.sessions.find(token)).not.toBeNull();
    at(startedMs + 24 * HOUR_MS);
    expect(await world.sessions.find(token)).toBeNull();
    expect(await rowOf(token)).toBeNull();
  });

  it('ends after an hour without use, to the millisecond', async () => {
    const [one, other] = [await begin(), await begin()];
    world.clock.ms += HOUR_MS - 1;
    expect(await world.sessions.find(one)).not.toBeNull(); // and counts from here now
    world.clock.ms += 1;
    expect(await world.sessions.find(other)).toBeNull();
    world.clock.ms += HOUR_MS - 2;
    expect(await world.sessions.find(one)).not.toBeNull();
    world.clock.ms += HOUR_MS;
    expect(await world.sessions.find(one)).toBeNull();
  });

  it('use is written down once a minute, and looking whether it lives is no use', async () => {
    const token = await begin();
    const startedMs = world.clock.ms;
    world.clock.ms += 59_999;
    await world.sessions.find(token);
    expect((await rowOf(token))?.lastSeenAtMs).toBe(startedMs);
    world.clock.ms += 1;
    expect(await world.sessions.alive(sha256Hex(token))).toBe(true);
    expect((await rowOf(token))?.lastSeenAtMs).toBe(startedMs);
    await world.sessions.find(token);
    expect((await rowOf(token))?.lastSeenAtMs).toBe(startedMs + 60_000);
  });

  it('sessions with a short idle time are touched in time to live', async () => {
    const short = world.sessionsWith({ limits: { idleMs: 10_000, absoluteMs: HOUR_MS } });
    const token = await begin(SETTLED, short);
    for (let i = 0; i < 5; i++) {
      world.clock.ms += 6_000;
      expect(await short.find(token)).not.toBeNull();
    }
  });

  it('a view that stays open ends with its session', async () => {
    const idHash = sha256Hex(await begin());
    world.clock.ms += HOUR_MS;
    expect(await world.sessions.alive(idHash)).toBe(false);
    expect(await world.sessions.alive('0'.repeat(64))).toBe(false);
  });

  it('starting one clears away those of everybody that are past their age', async () => {
    await begin();
    world.clock.ms += 24 * HOUR_MS;
    await begin();
    expect(await world.store.people.listSessions(null)).toHaveLength(1);
  });
});

describe('a session that owes its second factor (CF-13)', () => {
  it('says so, lasts five minutes and has five tries', async () => {
    const token = await begin(OWED);
    expect(await world.sessions.find(token)).toMatchObject({
      stage: 'second_factor',
      row: { secondFactorTries: 5, expiresAtMs: world.clock.ms + 300_000 },
    });
    world.clock.ms += 300_000;
    expect(await world.sessions.find(token)).toBeNull();
  });

  it('never outlives what a whole one may', async () => {
    const short = world.sessionsWith({ limits: { idleMs: HOUR_MS, absoluteMs: 60_000 } });
    const { session } = await short.start(user, ORIGIN, OWED);
    expect(session.row.expiresAtMs).toBe(world.clock.ms + 60_000);
  });

  it('is told from one that has none and needs one', async () => {
    await world.access.requireSecondFactor(['manager']);
    const whole = await begin();
    const owing = await begin(OWED);
    expect((await world.sessions.find(whole))?.stage).toBe('enrol');
    expect((await world.sessions.find(owing))?.stage).toBe('second_factor');
    await world.access.requireSecondFactor([]);
    expect((await world.sessions.find(whole))?.stage).toBe('full'); // asked anew with every call
  });

  it('a provider that asks for it settles it for those who came through it, and for nobody else', async () => {
    await world.access.requireSecondFactor(['manager']);
    const settling = world.sessionsWith({ ssoSettlesSecondFactor: true });
    const stageOf = async (sessions: Sessions, method: SessionTerms['method']) => {
      const token = await begin({ secondFactor: 'settled', method }, sessions);
      return (await sessions.find(token))?.stage;
    };
    expect(await stageOf(settling, 'sso')).toBe('full');
    expect(await stageOf(settling, 'password')).toBe('enrol');
    expect(await stageOf(settling, null)).toBe('enrol');
    expect(await stageOf(world.sessions, 'sso')).toBe('enrol');
  });
});

describe('the CSRF token of a session (TW-15)', () => {
  it('fits its own session and no other, and no part of it is enough', async () => {
    const [one, other] = [await begin(), await begin()];
    const [first, second] = [await world.sessions.find(one), await world.sessions.find(other)];
    if (first === null || second === null) throw new Error('both are there');
    const token = world.sessions.csrfToken(one);
    expect(world.sessions.csrfMatches(first, token)).toBe(true);
    expect(world.sessions.csrfMatches(second, token)).toBe(false);
    for (const sent of [
      '',
      token.slice(1),
      `${token} `,
      token.toLowerCase(),
      one,
      first.row.csrfHash,
      csrfTokenOf(other),
    ])
      expect([sent, world.sessions.csrfMatches(first, sent)]).toEqual([sent, false]);
  });
});

describe('a secret of the installation (TW-02)', () => {
  it('keys what is stored: the token alone does not lead to it', async () => {
    const keyed = world.sessionsWith({ secret: new Secret('of this installation') });
    const token = await begin(SETTLED, keyed);
    expect(await keyed.find(token)).not.toBeNull();
    expect(await rowOf(token)).toBeNull();
    expect(await world.sessions.find(token)).toBeNull();
    expect(await world.sessionsWith({ secret: new Secret('another') }).find(token)).toBeNull();
  });
});
