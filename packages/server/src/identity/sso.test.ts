import { randomBytes } from 'node:crypto';
import { FIRST, type IdentityWorld, SECOND, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { createVault } from '../vault/aes-vault.ts';
import type { OidcClaims, OidcClient, OidcSecrets } from './oidc-client.ts';
import { NO_PASSWORD } from './password-hash.ts';
import { createSingleSignOn, type FlowBox, type SingleSignOn, type SsoRules } from './sso.ts';

const PLACE = { table: 'browser', row: 'sso', column: 'flow' };
const RULES: SsoRules = {
  name: 'Company',
  userClaim: 'preferred_username',
  roleClaim: 'groups',
  roleMap: [
    { group: 'llm-admins', role: 'admin' },
    { group: 'llm-users', role: 'developer' },
  ],
  defaultRole: null,
  settlesSecondFactor: false,
  redirectUrl: null,
};
const FLOW = { redirectUri: 'https://gate.example/api/auth/sso/return', returnPath: '/usage', userId: null };
const ANNA: OidcClaims = {
  iss: 'https://idp.example',
  sub: 'a-1',
  preferred_username: 'anna',
  groups: ['llm-users'],
};

let world: IdentityWorld;
/** What the provider says of whoever comes back; the protocol has tests of its own. */
let claims: OidcClaims;
let asked: { redirectUri?: string; secrets?: OidcSecrets; returned?: string };
let box: FlowBox;
beforeEach(async () => {
  world = await startIdentityWorld();
  claims = ANNA;
  asked = {};
  const vault = createVault(randomBytes(32));
  box = { seal: (secret) => vault.seal(secret, PLACE), open: (sealed) => vault.open(sealed, PLACE) };
});
afterEach(() => world.close());

const client: OidcClient = {
  about: { issuer: 'https://idp.example', clientId: 'gate', hasClientSecret: false, scopes: 'openid' },
  probe: () => Promise.reject(new Error('nobody asks in these tests')),
  async authorizationUrl(redirectUri, secrets) {
    asked = { ...asked, redirectUri, secrets };
    return 'https://idp.example/authorize?x=1';
  },
  async claims(returned, secrets) {
    asked = { ...asked, returned: returned.href, secrets };
    return claims;
  },
};
const sso = (rules: Partial<SsoRules> = {}): SingleSignOn =>
  createSingleSignOn({ ...world, box, client, rules: { ...RULES, ...rules }, firstWorkspaceId: FIRST });

/** Goes to the provider and comes back as whoever it says. */
async function enter(
  said: Partial<OidcClaims> = {},
  rules: Partial<SsoRules> = {},
  userId: string | null = null,
) {
  claims = { ...ANNA, ...said } as OidcClaims;
  const it = sso(rules);
  const { kept } = await it.begin({ ...FLOW, userId });
  return it.finish(it.open(kept.reveal()), new URLSearchParams('code=c&state=s'));
}
const refusal = (...given: Parameters<typeof enter>): Promise<string> =>
  enter(...given).then(
    ({ what }) => what,
    (error: AppError) => error.code,
  );
const roleOf = async (name: string): Promise<string | undefined> =>
  (await world.store.people.listMembers(FIRST)).find(({ username }) => username === name)?.role;

describe('the way through the provider (CF-14)', () => {
  it('has secrets of 256 bits, all different, each time others', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) {
      await sso().begin(FLOW);
      const { state = '', nonce = '', verifier = '' } = asked.secrets ?? {};
      for (const secret of [state, nonce, verifier]) {
        expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
        seen.add(secret);
      }
    }
    expect(seen.size).toBe(9);
  });

  it('is kept by the browser sealed: nothing of it can be read or made up', async () => {
    const { kept, url } = await sso().begin(FLOW);
    expect(url).toBe('https://idp.example/authorize?x=1');
    for (const secret of Object.values(asked.secrets ?? {})) expect(kept.reveal()).not.toContain(secret);
    expect(sso().open(kept.reveal())).toMatchObject({ ...FLOW, ...asked.secrets });
    const text = kept.reveal();
    const flipped = `${text.slice(0, -2)}${text.endsWith('A') ? 'BB' : 'AA'}`;
    const forged = JSON.stringify({ ...FLOW, userId: 'user-olga', expiresAtMs: Number.MAX_SAFE_INTEGER });
    for (const bad of [null, '', flipped, forged, createVault(randomBytes(32)).keyId])
      expect(() => sso().open(bad)).toThrow(AppError);
  });

  it('ends after ten minutes, to the millisecond', async () => {
    const { kept } = await sso().begin(FLOW);
    world.clock.ms += 600_000 - 1;
    expect(sso().open(kept.reveal()).returnPath).toBe('/usage');
    world.clock.ms += 1;
    expect(() => sso().open(kept.reveal())).toThrow(expect.objectContaining({ code: 'sso_failed' }));
  });

  it('comes back with its own secrets and its own address, whatever the query says of either', async () => {
    await enter();
    const sent = asked.secrets;
    const it = sso();
    const { kept } = await it.begin(FLOW);
    const mine = asked.secrets;
    await it.finish(
      it.open(kept.reveal()),
      new URLSearchParams('code=1&state=2&redirect_uri=https://evil.example'),
    );
    expect(asked.secrets).toMatchObject(mine ?? {});
    expect(asked.secrets?.state).not.toBe(sent?.state);
    const returned = new URL(asked.returned ?? '');
    expect(`${returned.origin}${returned.pathname}`).toBe(FLOW.redirectUri);
    expect(returned.searchParams.get('state')).toBe('2'); // compared with the one that was kept
  });
});

describe('somebody who comes for the first time (CF-14)', () => {
  it('becomes a user with the role of their group, without a password', async () => {
    expect(await enter()).toMatchObject({ what: 'made', role: 'developer', user: { username: 'anna' } });
    const user = await world.store.identity.findUserByName('anna');
    expect(user?.passwordHash).toBe(NO_PASSWORD);
    expect(await world.store.people.listMemberships(user?.id ?? '')).toMatchObject([
      { workspaceId: FIRST, role: 'developer' },
    ]);
  });

  it('has the role of the first line that fits, in the order of the rules', async () => {
    expect(await enter({ groups: ['x', 'llm-users', 'llm-admins'] })).toMatchObject({ role: 'admin' });
  });

  it.each([
    ['no group that is named', { groups: ['others'] }],
    ['no groups', { groups: [] }],
    ['no such claim', { groups: undefined }],
    ['a group in other letters', { groups: ['LLM-Users'] }],
    ['a part of a group’s name', { groups: ['llm-users-2', 'llm'] }],
    ['a list in a list', { groups: [['llm-users']] }],
    ['an object', { groups: { 'llm-users': true } }],
  ])('is not let in with %s', async (_name, said) => {
    expect(await refusal(said as Partial<OidcClaims>)).toBe('sso_not_allowed');
    expect(await world.store.identity.countUsers()).toBe(1);
  });

  it('a provider that names one group as text is understood', async () => {
    expect(await refusal({ groups: 'llm-users' })).toBe('made');
  });

  it('falls back to the default role where there is one that exists', async () => {
    expect(await enter({ groups: [] }, { defaultRole: 'viewer' })).toMatchObject({ role: 'viewer' });
    expect(await refusal({ sub: 'b', groups: [] }, { defaultRole: 'gone' })).toBe('sso_not_allowed');
    const roleMap = [{ group: 'llm-users', role: 'constructor' }];
    expect(await refusal({ sub: 'c' }, { roleMap })).toBe('sso_not_allowed');
  });

  it('roles are read inside an object along the dots, and from nothing that every object has', async () => {
    const inside = { roleClaim: 'realm.roles' };
    expect(await refusal({ realm: { roles: ['llm-users'] } }, inside)).toBe('made');
    expect(await refusal({ sub: 'b', realm: ['llm-users'] }, inside)).toBe('sso_not_allowed');
    expect(await refusal({ sub: 'c', 'realm.roles': ['llm-admins'], preferred_username: 'c' }, inside)).toBe(
      'made',
    );
    expect(await roleOf('c')).toBe('admin');
    const roleMap = [{ group: 'Object', role: 'owner' }];
    expect(await refusal({ sub: 'd' }, { roleClaim: 'constructor.name', roleMap })).toBe('sso_not_allowed');
  });

  it('is named by the claim that is set, else by the address, else not at all', async () => {
    expect((await enter({ preferred_username: 'two words', email: 'a@b.example' })).user.username).toBe(
      'a@b.example',
    );
    expect(await refusal({ sub: 'b', preferred_username: undefined })).toBe('sso_failed');
    expect(await refusal({ sub: 'c', preferred_username: '<b>', email: 7 })).toBe('sso_failed');
    expect((await enter({ sub: 'd', upn: 'dora' }, { userClaim: 'upn' })).user.username).toBe('dora');
  });

  it('takes nobody over: a name that is there is taken, whoever it belongs to', async () => {
    expect(await refusal({ preferred_username: 'olga' })).toBe('sso_name_taken');
    await enter();
    expect(await refusal({ sub: 'another anna' })).toBe('sso_name_taken');
    expect(await world.store.identity.countUsers()).toBe(2);
  });

  it('twice at once is one user', async () => {
    const both = await Promise.all([enter(), enter()]);
    expect(both.map(({ what }) => what).sort()).toEqual(['known', 'made']);
    expect(new Set(both.map(({ user }) => user.id)).size).toBe(1);
  });
});

describe('somebody who comes again (CF-14)', () => {
  it('is known by provider and subject together, and by nothing that changes hands', async () => {
    const { user } = await enter();
    const again = await enter({ preferred_username: 'olga', email: 'olga@company.example' });
    expect([again.what, again.user.id]).toEqual(['known', user.id]);
    expect(await refusal({ iss: 'https://evil.example', preferred_username: 'eve' })).toBe('made');
    // The pair is bound, not the joined text of both.
    expect(await refusal({ iss: 'https://idp.examplea', sub: '-1', preferred_username: 'eva' })).toBe('made');
  });

  it('follows the groups each time, up and down, and is out without one', async () => {
    await enter();
    await enter({ groups: ['llm-admins'] });
    expect(await roleOf('anna')).toBe('admin');
    await enter({ groups: ['llm-users'] });
    expect(await roleOf('anna')).toBe('developer');
    expect(await refusal({ groups: [] })).toBe('sso_not_allowed');
    expect(await roleOf('anna')).toBe('developer');
  });

  it('has no role in other workspaces because of it', async () => {
    const { user } = await enter();
    await world.store.people.addMember({
      userId: user.id,
      workspaceId: SECOND,
      role: 'viewer',
      createdAtMs: 1,
    });
    await enter({ groups: ['llm-admins'] });
    const roles = (await world.store.people.listMemberships(user.id)).map(({ workspaceId, role }) => [
      workspaceId,
      role,
    ]);
    expect(Object.fromEntries(roles)).toEqual({ [FIRST]: 'admin', [SECOND]: 'viewer' });
  });

  it('who was taken out of a workspace is put back by a group that leads there: disabling is what keeps out', async () => {
    const { user } = await enter();
    await world.store.people.addMember({
      userId: user.id,
      workspaceId: SECOND,
      role: 'viewer',
      createdAtMs: 1,
    });
    await world.store.people.removeMember({ userId: user.id, workspaceId: FIRST });
    await enter({ groups: ['llm-admins'] });
    expect(await world.store.people.listMemberships(user.id)).toMatchObject([
      { workspaceId: SECOND, role: 'viewer' },
      { workspaceId: FIRST, role: 'admin' },
    ]);
  });

  it('may come from several browsers at once', async () => {
    const { user } = await enter();
    const ref = { userId: user.id, workspaceId: SECOND };
    await world.store.people.addMember({ ...ref, role: 'viewer', createdAtMs: 1 });
    await world.store.people.removeMember({ ...ref, workspaceId: FIRST });
    const entered = await Promise.all([1, 2, 3].map(() => enter({ groups: ['llm-admins'] })));
    expect(entered.map(({ what }) => what)).toEqual(['known', 'known', 'known']);
    expect(await roleOf(user.username)).toBe('admin');
  });

  it('is refused once disabled', async () => {
    const { user } = await enter();
    await world.store.people.updateMember({ userId: user.id, workspaceId: FIRST }, { disabledAtMs: 1 });
    expect(await refusal()).toBe('sso_not_allowed');
  });
});

describe('connecting the provider to somebody who is there (CF-14)', () => {
  it('keeps their role: the provider says only that it is them', async () => {
    const entry = await enter({ groups: [] }, {}, 'user-olga');
    expect([entry.what, entry.user.username]).toEqual(['connected', 'olga']);
    expect((await enter({ groups: ['llm-users'] })).user.id).toBe('user-olga');
    expect(await roleOf('olga')).toBe('owner');
  });

  it('keeps it with every sign-in after that, whatever the groups are', async () => {
    const user = await world.addUser('paul', { [FIRST]: 'manager' });
    await enter({}, {}, user.id);
    await enter({ groups: ['llm-admins'] });
    await enter({ groups: [] });
    expect(await roleOf('paul')).toBe('manager');
  });

  it('takes an account once, and one account for each user', async () => {
    await enter({}, {}, 'user-olga');
    const other = await world.addUser('paul');
    expect(await refusal({}, {}, other.id)).toBe('sso_connected');
    expect(await refusal({ sub: 'a-2' }, {}, 'user-olga')).toBe('sso_connected');
    expect(await refusal({ sub: 'a-2' }, {}, other.id)).toBe('connected');
  });

  it('is refused for somebody who was disabled or removed on the way', async () => {
    expect(await refusal({}, {}, 'nobody')).toBe('sso_not_allowed');
    const user = await world.addUser('paul', { [FIRST]: 'viewer' });
    await world.store.people.updateMember({ userId: user.id, workspaceId: FIRST }, { disabledAtMs: 1 });
    expect(await refusal({}, {}, user.id)).toBe('sso_not_allowed');
  });
});
