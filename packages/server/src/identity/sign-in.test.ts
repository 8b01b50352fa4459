import { randomBytes } from 'node:crypto';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import type { Store, UserRow } from '../store/store.ts';
import { createAccessRules } from './access.ts';
import { createLoginThrottle } from './login-throttle.ts';
import type { PasswordHasher } from './password-hash.ts';
import { createSecondFactor } from './second-factor.ts';
import { settleSessionSecret } from './session-secret.ts';
import { createSessions } from './sessions.ts';
import { signIn } from './sign-in.ts';

const ORIGIN = { address: '192.0.2.1', userAgent: null };
const USER: UserRow = {
  id: 'u1',
  username: 'maria',
  passwordHash: 'hash of right',
  createdAtMs: 1,
  disabledAtMs: null,
};

let store: Store;
const clock = { ms: 1_000_000, now: () => clock.ms, monotonicMs: () => clock.ms };
beforeEach(async () => {
  store = await openTestStore();
  await store.config.ensureWorkspace({
    id: 'ws',
    slug: 'default',
    name: 'Default',
    allowedAddresses: [],
    createdAtMs: 1,
  });
  await store.identity.insertFirstUser(USER, { workspaceId: 'ws', role: 'owner' });
});
afterEach(() => store.close());

/** A hasher whose work is counted instead of done. */
function countingHasher(): PasswordHasher & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    hash: async (password) => {
      calls.push('hash');
      return `hash of ${password}`;
    },
    verify: async (stored, password) => {
      calls.push('verify');
      return stored === `hash of ${password}`;
    },
  };
}

function parts(hasher: PasswordHasher, secret: Secret | null = null) {
  const access = createAccessRules(store, 'ws');
  const limits = { idleMs: 1e6, absoluteMs: 1e6 };
  return {
    store,
    hasher,
    throttle: createLoginThrottle(clock),
    sessions: createSessions({
      store: store.identity,
      access,
      clock,
      randomBytes,
      limits,
      secret,
      ssoSettlesSecondFactor: false,
    }),
    secondFactor: createSecondFactor({
      store,
      clock,
      randomBytes,
      box: { seal: (it) => it.reveal(), open: (it) => new Secret(it) },
    }),
  };
}

describe('signIn (CF-14)', () => {
  it('does the same hashing for an unknown name, a wrong password and a disabled user', async () => {
    const work = async (username: string, password: string): Promise<string[]> => {
      const hasher = countingHasher();
      await expect(signIn(parts(hasher), { username, password }, ORIGIN)).rejects.toMatchObject({
        code: 'invalid_credentials',
      });
      return hasher.calls;
    };
    expect(await work('nobody', 'right')).toEqual(['verify']);
    expect(await work('maria', 'wrong')).toEqual(['verify']);
    await store.people.insertLink({
      id: 'l1',
      codeHash: 'c',
      workspaceId: 'ws',
      role: 'viewer',
      userId: null,
      note: null,
      createdBy: null,
      createdAtMs: 1,
      expiresAtMs: 2,
    });
    await store.people.acceptInvitation('l1', {
      ...USER,
      id: 'u2',
      username: 'off',
      disabledAtMs: 5,
    });
    expect(await work('off', 'right')).toEqual(['verify']);
    const hasher = countingHasher();
    await signIn(parts(hasher), { username: 'maria', password: 'right' }, ORIGIN);
    expect(hasher.calls).toEqual(['verify']);
  });

  it('does no hashing for an attempt that has to wait', async () => {
    const hasher = countingHasher();
    const its = parts(hasher);
    for (let i = 0; i < 5; i++) {
      await signIn(its, { username: 'maria', password: 'wrong' }, ORIGIN).catch(() => undefined);
    }
    await expect(signIn(its, { username: 'maria', password: 'right' }, ORIGIN)).rejects.toMatchObject({
      code: 'login_throttled',
    });
    expect(hasher.calls).toHaveLength(5);
  });
});

describe('DASHBOARD_SESSION_SECRET (TW-02)', () => {
  it('keys the stored hashes: neither another secret nor none finds a session', async () => {
    const [one, other] = [new Secret('first secret'), new Secret('second secret')];
    const { token, session } = await signIn(
      parts(countingHasher(), one),
      { username: 'maria', password: 'right' },
      ORIGIN,
    );
    const find = (secret: Secret | null) => parts(countingHasher(), secret).sessions.find(token.reveal());
    expect((await find(one))?.row.idHash).toBe(session.row.idHash);
    expect(await find(other)).toBeNull();
    expect(await find(null)).toBeNull();
  });

  it('ends every session when it changes, comes or goes, and none when it stays', async () => {
    const begin = () => signIn(parts(countingHasher()), { username: 'maria', password: 'right' }, ORIGIN);
    const sessions = async (): Promise<number> => (await store.people.listSessions(null)).length;
    await begin();
    expect(await settleSessionSecret(store, null)).toBe(false);
    expect(await sessions()).toBe(1);
    for (const secret of [new Secret('a'), new Secret('b'), null]) {
      await begin();
      expect(await settleSessionSecret(store, secret)).toBe(true);
      expect(await sessions()).toBe(0);
      await begin();
      expect(await settleSessionSecret(store, secret)).toBe(false);
      expect(await sessions()).toBe(1);
    }
    expect(await store.config.getSetting('session_secret_check')).toBe('none');
  });
});
