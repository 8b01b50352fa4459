import { createHash, randomBytes } from 'node:crypto';
import { type AccessRules, createAccessRules } from '@tallygate/server/identity/access';
import { createLoginThrottle, type LoginThrottle } from '@tallygate/server/identity/login-throttle';
import type { PasswordHasher } from '@tallygate/server/identity/password-hash';
import { createSecondFactor, type SecondFactor } from '@tallygate/server/identity/second-factor';
import { createSessions, type SessionLimits, type Sessions } from '@tallygate/server/identity/sessions';
import { createIdSource, type IdSource } from '@tallygate/server/kernel/ids';
import { Secret } from '@tallygate/server/kernel/secret';
import type { Store, UserRow } from '@tallygate/server/store/store';
import { openTestStore } from './test-store.ts';

/** The workspace whose owners own the installation, and another one. */
export const FIRST = 'w-first';
export const SECOND = 'w-second';
export const ORIGIN = { address: '192.0.2.1', userAgent: 'a browser' };

const digest = (password: string): string => `plain ${createHash('sha256').update(password).digest('hex')}`;

/** Says yes and no as the real one does, in no time: Argon2 has tests of its own. */
export const quickHasher: PasswordHasher = {
  hash: async (password) => digest(password),
  verify: async (stored, password) => stored !== null && stored === digest(password),
};

export interface IdentityWorld {
  store: Store;
  /** Stands still until moved. */
  clock: { ms: number; now(): number; monotonicMs(): number };
  newId: IdSource;
  randomBytes: (size: number) => Buffer;
  hasher: PasswordHasher;
  access: AccessRules;
  throttle: LoginThrottle;
  secondFactor: SecondFactor;
  sessions: Sessions;
  /** Sessions under other terms, over the same store. */
  sessionsWith(change: Partial<Terms>): Sessions;
  /** A user of the first workspace, or of those named with their roles. */
  addUser(
    name: string,
    roles?: Readonly<Record<string, string>>,
    change?: Partial<UserRow>,
  ): Promise<UserRow>;
  close(): Promise<void>;
}

interface Terms {
  limits: SessionLimits;
  secret: Secret | null;
  ssoSettlesSecondFactor: boolean;
}
const TERMS: Terms = {
  limits: { idleMs: 3_600_000, absoluteMs: 86_400_000 },
  secret: null,
  ssoSettlesSecondFactor: false,
};

/** People, sessions and second factors over a real store, without a server. The owner is made first. */
export async function startIdentityWorld(owner = 'olga'): Promise<IdentityWorld> {
  const store = await openTestStore();
  const clock = { ms: Date.UTC(2026, 10, 22, 12), now: () => clock.ms, monotonicMs: () => clock.ms };
  const newId = createIdSource(clock);
  const workspace = (id: string, slug: string) => ({
    id,
    slug,
    name: slug,
    allowedAddresses: [],
    createdAtMs: clock.ms,
  });
  await store.config.ensureWorkspace(workspace(FIRST, 'default'));
  await store.config.insertWorkspace(workspace(SECOND, 'second'), {
    id: newId(),
    workspaceId: SECOND,
    slug: 'default',
    name: 'Default',
    disconnectPolicy: 'abort',
    environment: 'production',
    createdAtMs: clock.ms,
  });
  const access = createAccessRules(store, FIRST);
  const sessionsWith = (change: Partial<Terms>): Sessions =>
    createSessions({ store: store.identity, access, clock, randomBytes, ...TERMS, ...change });
  const userOf = (username: string, change: Partial<UserRow> = {}): UserRow => ({
    id: `user-${username}`,
    username,
    passwordHash: digest(`password of ${username}`),
    createdAtMs: clock.ms,
    disabledAtMs: null,
    ...change,
  });
  await store.identity.insertFirstUser(userOf(owner), { workspaceId: FIRST, role: 'owner' });
  const box = {
    seal: (secret: Secret, userId: string): string => `${userId} ${secret.reveal()}`,
    open(sealed: string, userId: string): Secret {
      if (!sealed.startsWith(`${userId} `)) throw new Error('sealed for somebody else');
      return new Secret(sealed.slice(userId.length + 1));
    },
  };

  return {
    store,
    clock,
    newId,
    randomBytes,
    hasher: quickHasher,
    access,
    throttle: createLoginThrottle(clock),
    secondFactor: createSecondFactor({ store, box, clock, randomBytes }),
    sessions: sessionsWith({}),
    sessionsWith,
    async addUser(name, roles = { [FIRST]: 'viewer' }, change = {}) {
      const user = userOf(name, change);
      const [first, ...others] = Object.entries(roles);
      if (first === undefined) throw new Error('somebody belongs to a workspace when they come');
      const [workspaceId, role] = first;
      const link = { id: newId(), codeHash: newId(), workspaceId, role, userId: null, note: null };
      const times = { createdAtMs: clock.ms, expiresAtMs: clock.ms + 1 };
      await store.people.insertLink({ ...link, createdBy: null, ...times });
      await store.people.acceptInvitation(link.id, user);
      for (const [id, other] of others)
        await store.people.addMember({
          userId: user.id,
          workspaceId: id,
          role: other,
          createdAtMs: clock.ms,
        });
      return user;
    },
    close: () => store.close(),
  };
}
