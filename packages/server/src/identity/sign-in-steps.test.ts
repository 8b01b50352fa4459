import { type IdentityWorld, ORIGIN, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import type { PasskeyRow } from '../store/ports/passkeys.ts';
import type { SignInMethod, UserRow } from '../store/store.ts';
import type { Passkeys, ProofPurpose } from './passkeys.ts';
import { NO_PASSWORD } from './password-hash.ts';
import type { LiveSession } from './sessions.ts';
import {
  assertPassword,
  completeSignIn,
  proofPurpose,
  signIn,
  signInWithPasskey,
  startSession,
} from './sign-in.ts';
import { hotp } from './totp.ts';

let world: IdentityWorld;
let user: UserRow;
beforeEach(async () => {
  world = await startIdentityWorld();
  user = await world.addUser('uwe');
});
afterEach(() => world.close());

const PASSWORD = 'password of uwe';
const login = (password = PASSWORD, username = 'uwe') => signIn(world, { username, password }, ORIGIN);
const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : String(error));
const tried = (work: Promise<unknown>): Promise<string> => work.then(() => 'in', codeOf);
const countSessions = async (): Promise<number> => (await world.store.people.listSessions(user.id)).length;

/** An app is set up; codes are those of its next steps. */
async function withApp() {
  const { uri } = await world.secondFactor.offer(user);
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const bits = [...secret]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const code = (): string => hotp(bytes, Math.floor(world.clock.ms / 30_000));
  const recovery = await world.secondFactor.confirm(user.id, code());
  world.clock.ms += 60_000;
  return { code, recovery };
}
const wrongOf = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('signing in with a password (CF-14)', () => {
  it('starts a whole session where nothing more is owed', async () => {
    const { token, session } = await login();
    expect([session.stage, session.row.method]).toEqual(['full', 'password']);
    expect((await world.sessions.find(token.reveal()))?.user.id).toBe(user.id);
  });

  it.each([
    ['a wrong password', 'wrong', 'uwe'],
    ['an empty one', '', 'uwe'],
    ['that of somebody else', 'password of olga', 'uwe'],
    ['a name that is not there', PASSWORD, 'nobody'],
  ])('is one and the same answer for %s, and no session', async (_name, password, username) => {
    expect(await tried(login(password, username))).toBe('invalid_credentials');
    expect(await world.store.people.listSessions(null)).toEqual([]);
  });

  it('lets nobody in whom a provider lets in: not with an empty password either', async () => {
    await world.addUser('sso', undefined, { passwordHash: NO_PASSWORD });
    for (const password of ['', ' ', NO_PASSWORD])
      expect(await tried(login(password, 'sso'))).toBe('invalid_credentials');
  });

  it('a success forgives the failures before it, a failure none', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) expect(await tried(login('wrong'))).toBe('invalid_credentials');
      expect(await tried(login())).toBe('in');
    }
    for (let i = 0; i < 5; i++) await tried(login('wrong'));
    expect(await tried(login())).toBe('login_throttled');
  });
});

describe('the second step (CF-13)', () => {
  const half = async (): Promise<LiveSession> => (await login()).session;
  const step = (session: LiveSession, code: string, address = ORIGIN.address) =>
    completeSignIn(world, session, { code, origin: { ...ORIGIN, address } });

  it('replaces the session: the half one is over, the whole one is new', async () => {
    const { code } = await withApp();
    const first = await login();
    expect(first.session.stage).toBe('second_factor');
    const done = await step(first.session, code());
    expect(done.session).toMatchObject({
      stage: 'full',
      row: { method: 'password', secondFactorTries: null },
    });
    expect(done.token.reveal()).not.toBe(first.token.reveal());
    expect(await world.sessions.find(first.token.reveal())).toBeNull();
    expect(await countSessions()).toBe(1);
  });

  it('is nothing for a session that owes none', async () => {
    const { session } = await login();
    expect(await tried(step(session, '123456'))).toBe('conflict');
    expect(await countSessions()).toBe(1);
  });

  it('a wrong code costs a try; after five the session is over, even with the right one', async () => {
    const { code } = await withApp();
    const session = await half();
    for (let i = 0; i < 5; i++)
      expect(await tried(step(session, wrongOf(code())))).toBe('second_factor_invalid');
    expect(await tried(step(session, code()))).toBe('session_required');
    expect(await countSessions()).toBe(0);
  });

  it('wrong codes from everywhere slow the app’s down, and a recovery code still gets in', async () => {
    const { code, recovery } = await withApp();
    const answers: string[] = [];
    for (let i = 0; i < 3; i++) {
      const session = await half();
      for (let j = 0; j < 4; j++)
        answers.push(await tried(step(session, wrongOf(code()), `198.51.100.${i * 4 + j}`)));
    }
    expect(answers.filter((answer) => answer === 'second_factor_invalid')).toHaveLength(10);
    expect(answers.slice(10)).toEqual(['login_throttled', 'login_throttled']);
    const session = await half();
    expect(await tried(step(session, code(), '203.0.113.1'))).toBe('login_throttled');
    expect(await tried(step(session, recovery[0] ?? '', '203.0.113.1'))).toBe('in');
    expect(await tried(step(await half(), code(), '203.0.113.1'))).toBe('in'); // the success forgave it
  });

  it('a throttled code costs no try', async () => {
    const { code } = await withApp();
    for (let i = 0; i < 10; i++) world.throttle.admitCode(user.id, `198.51.100.${i}`, 'app');
    const session = await half();
    for (let i = 0; i < 9; i++) expect(await tried(step(session, wrongOf(code())))).toBe('login_throttled');
    world.clock.ms += 61_000;
    expect(await tried(step(session, code()))).toBe('in');
  });

  it('the same code twice at once is one session', async () => {
    const { code } = await withApp();
    const sessions = [await half(), await half()];
    const both = await Promise.all(sessions.map((session) => tried(step(session, code()))));
    expect(both.sort()).toEqual(['in', 'second_factor_invalid']);
  });
});

describe('startSession (CF-13)', () => {
  it.each<[SignInMethod, boolean, string]>([
    ['link', false, 'second_factor'],
    ['sso', false, 'second_factor'],
    ['sso', true, 'full'],
    ['passkey', true, 'full'],
  ])('after %s with the second factor settled: %s, it is %s', async (method, settled, stage) => {
    await withApp();
    const { session } = await startSession(world, user, { origin: ORIGIN, method, settled });
    expect([session.stage, session.row.method]).toEqual([stage, method]);
  });
});

describe('asking a signed-in person for the password again (TW-02)', () => {
  const ask = (session: LiveSession, password: string | undefined) =>
    tried(assertPassword(world, session, { password, address: ORIGIN.address }));

  it('takes the right one and no other, and none at all is said to be missing', async () => {
    const { session } = await login();
    expect(await ask(session, PASSWORD)).toBe('in');
    expect(await ask(session, 'wrong')).toBe('invalid_credentials');
    expect(await ask(session, undefined)).toBe('invalid_request');
    expect(await ask(session, 'password of olga')).toBe('invalid_credentials');
  });

  it('has the brakes of signing in, together with it', async () => {
    const { session } = await login();
    for (let i = 0; i < 5; i++) await ask(session, 'wrong');
    expect(await ask(session, PASSWORD)).toBe('login_throttled');
    expect(await tried(login())).toBe('login_throttled');
  });

  it('takes a fresh sign-in from whoever has none, for ten minutes, whatever is sent', async () => {
    const other = await world.addUser('sso', undefined, { passwordHash: NO_PASSWORD });
    const { session } = await startSession(world, other, { origin: ORIGIN, method: 'sso' });
    expect(await ask(session, undefined)).toBe('in');
    world.clock.ms += 600_000 - 1;
    expect(await ask(session, 'anything')).toBe('in');
    world.clock.ms += 1;
    for (const password of [undefined, '', 'anything'])
      expect(await ask(session, password)).toBe('sign_in_again');
  });
});

describe('signing in with a passkey (CF-13)', () => {
  const RP = { rpId: 'gate.example', origins: ['https://gate.example'] };
  let purposes: ProofPurpose[];
  /** Whether a proof is good is decided, and tested, elsewhere. */
  const passkeysOf = (userId: string | null): Pick<Passkeys, 'prove'> => ({
    prove: async (purpose: ProofPurpose) => {
      purposes.push(purpose);
      if (userId === null) throw new AppError('passkey_invalid');
      return { userId } as PasskeyRow;
    },
  });
  const enter = (userId: string | null, half: LiveSession | null) =>
    signInWithPasskey({ ...world, passkeys: passkeysOf(userId) }, half, {
      response: {} as never,
      rp: RP,
      origin: ORIGIN,
    });
  beforeEach(() => {
    purposes = [];
  });

  it('alone is a whole session that names the passkey, and owes nothing more', async () => {
    await withApp();
    const { session } = await enter(user.id, null);
    expect([session.stage, session.row.method, purposes]).toEqual(['full', 'passkey', [{ kind: 'anyone' }]]);
  });

  it('as the second step takes the place of the half session, and keeps what began it', async () => {
    await withApp();
    const first = await login();
    const { session } = await enter(user.id, first.session);
    expect([session.stage, session.row.method]).toEqual(['full', 'password']);
    expect(purposes).toEqual([{ kind: 'second-step', userId: user.id, idHash: first.session.row.idHash }]);
    expect(await world.sessions.find(first.token.reveal())).toBeNull();
    expect(proofPurpose(first.session)).toEqual(purposes[0]);
  });

  it('a proof that is not good ends nothing and starts nothing', async () => {
    await withApp();
    const first = await login();
    expect(await tried(enter(null, first.session))).toBe('passkey_invalid');
    expect(await tried(enter(null, null))).toBe('passkey_invalid');
    expect(await countSessions()).toBe(1);
    expect(await world.sessions.find(first.token.reveal())).not.toBeNull();
  });

  it('is refused for somebody who is gone or disabled, in the same words', async () => {
    const off = await world.addUser('off', undefined, { disabledAtMs: 1 });
    expect([await tried(enter('nobody', null)), await tried(enter(off.id, null))]).toEqual([
      'passkey_invalid',
      'passkey_invalid',
    ]);
  });

  it('is no way around a provider: alone it lets in nobody who has no password', async () => {
    const other = await world.addUser('sso', undefined, { passwordHash: NO_PASSWORD });
    expect(await tried(enter(other.id, null))).toBe('sso_required');
    expect(await world.store.people.listSessions(other.id)).toEqual([]);
    const { session } = await startSession(world, other, { origin: ORIGIN, method: 'sso' });
    expect(await tried(enter(other.id, session))).toBe('in');
  });
});
