import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import {
  CookieBrowser,
  type IdentityProvider,
  startIdentityProvider,
} from '@tallygate/testkit/identity-provider';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOidcClient } from '../identity/oidc-client.ts';
import type { SsoRules } from '../identity/sso.ts';
import { Secret } from '../kernel/secret.ts';

const RULES: SsoRules = {
  name: 'Example SSO',
  userClaim: 'preferred_username',
  roleClaim: 'groups',
  roleMap: [
    { group: 'llm-admins', role: 'admin' },
    { group: 'engineering', role: 'developer' },
  ],
  defaultRole: null,
  settlesSecondFactor: false,
  redirectUrl: null,
};
const ZOE = { sub: 'z-1', preferred_username: 'zoe', email: 'zoe@example.com', groups: ['engineering'] };

let provider: IdentityProvider;
let world: AdminWorld;
let origin: string;
let browser: CookieBrowser;

async function start(change: Partial<SsoRules> = {}, secret?: string): Promise<void> {
  provider = await startIdentityProvider();
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const { issuer, clientId, clientSecret } = provider;
  const client = createOidcClient(
    {
      issuer,
      clientId,
      clientSecret: new Secret(secret ?? clientSecret),
      scopes: 'openid profile email groups',
      fetch: (url, init) => fetch(url, init as RequestInit),
      allowHttp: true,
    },
    clock,
  );
  world = await startAdminWorld(await openTestStore(), {
    ssoProvider: { client, rules: { ...RULES, ...change } },
  });
  await world.setUp();
  origin = `http://localhost:${world.port}`;
  provider.allowReturn(`${origin}/api/auth/sso/return`);
  provider.person = ZOE;
  browser = new CookieBrowser();
}
beforeEach(() => start());
afterEach(async () => {
  await world.close();
  await provider.close();
});

const isPage = (url: URL): boolean => url.origin === origin && !url.pathname.startsWith('/api/');

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return browser.fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
const json = async (response: Response) => (await response.json()) as Record<string, never>;

/** From the button to the page the browser ends on. */
async function signIn(back?: string): Promise<URL> {
  browser.forget(provider.issuer); // it asks again who somebody is
  const started = await post('/api/auth/sso/start', back === undefined ? {} : { return: back });
  expect(started.status).toBe(200);
  return browser.follow(String((await json(started)).url), isPage);
}
const me = async () => json(await browser.fetch(`${origin}/api/auth/me`));
const pathOf = (url: URL): string => url.pathname + url.search;

/** A password sign-in of the owner in this browser; returns the CSRF header. */
async function asOwner(): Promise<Record<string, string>> {
  expect((await post('/api/auth/login', OWNER)).status).toBe(200);
  const { csrfToken } = await json(await browser.fetch(`${origin}/api/auth/csrf`));
  return { 'x-csrf-token': String(csrfToken) };
}

describe('signing in through an identity provider (CF-14)', () => {
  it('makes the user with the role of the first group that fits, and knows them the next time', async () => {
    provider.person = { ...ZOE, groups: ['engineering', 'llm-admins'] };
    expect(pathOf(await signIn('/requests?model=x'))).toBe('/requests?model=x');
    expect(await me()).toMatchObject({
      stage: 'full',
      user: { username: 'zoe', role: 'admin', hasPassword: false },
    });
    await signIn();
    const users = await world.deps.store.people.listMembers(world.deps.firstWorkspaceId);
    expect(users.map(({ username, role, sso }) => [username, role, sso])).toEqual([
      ['maria', 'owner', false],
      ['zoe', 'admin', true],
    ]);
    const { sessions } = await json(await browser.fetch(`${origin}/api/auth/sessions`));
    expect(sessions).toMatchObject([{ method: 'sso', current: true }]); // the one before ended
  });

  it('sends PKCE, state and nonce, and keeps them sealed in a Lax cookie of ten minutes', async () => {
    const started = await post('/api/auth/sso/start', {});
    const url = new URL(String((await json(started)).url));
    const asked = Object.fromEntries(url.searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${origin}/api/auth/sso/return`,
    });
    const [cookie = ''] = started.headers.getSetCookie();
    expect(cookie).toMatch(/^tallygate_sso=tgv2\.[^;]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    for (const part of [asked.state, asked.nonce, 'verifier']) expect(cookie).not.toContain(part);
    const page = await browser.follow(url.href, (at) => at.pathname === '/api/auth/sso/return');
    const back = await browser.fetch(page.href);
    const cookies = back.headers.getSetCookie();
    expect(cookies.find((line) => line.startsWith('tallygate_session='))).toContain('SameSite=Strict');
    expect(cookies.find((line) => line.startsWith('tallygate_sso='))).toContain('Max-Age=0');
  });

  it('follows the groups with every sign-in, and lets nobody in who has none left', async () => {
    await signIn();
    provider.person = { ...ZOE, groups: ['llm-admins'] };
    await signIn();
    expect(await me()).toMatchObject({ user: { role: 'admin' } });
    provider.person = { ...ZOE, groups: ['marketing'] };
    expect(pathOf(await signIn())).toBe('/login?problem=sso_not_allowed');
  });

  it('gives roles in other workspaces too, and takes them away where no group leads any more', async () => {
    await world.close();
    await provider.close();
    const lab = { group: 'lab', role: 'manager', workspace: 'research' };
    const all = { group: 'engineering', role: 'viewer', workspace: 'research' };
    await start({ roleMap: [...RULES.roleMap, lab, all] });
    await world.call('/api/workspaces', { local: true, body: { slug: 'research' } });
    const rolesOf = async (name: string) => {
      const user = await world.deps.store.identity.findUserByName(name);
      const slugs = new Map(
        (await world.deps.store.config.listWorkspaces()).map((row) => [row.id, row.slug]),
      );
      const rows = await world.deps.store.people.listMemberships(user?.id ?? 'nobody');
      return rows.map(({ workspaceId, role }) => `${role}@${slugs.get(workspaceId)}`).sort();
    };
    provider.person = { ...ZOE, groups: ['lab', 'engineering'] };
    await signIn();
    expect(await rolesOf('zoe')).toEqual(['developer@default', 'manager@research']);
    provider.person = { ...ZOE, groups: ['engineering'] };
    await signIn();
    expect(await rolesOf('zoe')).toEqual(['developer@default', 'viewer@research']);
    provider.person = { ...ZOE, groups: ['lab'] };
    await signIn();
    expect(await rolesOf('zoe')).toEqual(['manager@research']);
    expect(await me()).toMatchObject({ user: { username: 'zoe', role: 'manager' } });
    provider.person = { ...ZOE, groups: ['llm-admins'] };
    await signIn();
    expect(await rolesOf('zoe')).toEqual(['admin@default']);
    const { entries } = (await world.call('/api/audit', { local: true })).json as {
      entries: { action: string; changes: object[] }[];
    };
    // The last one began in a session of the other workspace and stands in its log.
    const moves = entries.filter(({ action }) => action === 'GET /api/auth/sso/return');
    expect(moves[0]?.changes).toEqual([
      { field: 'role', before: 'viewer@research developer', after: 'manager@research' },
    ]);
  });

  it('lets nobody in by a group that leads to a workspace that is not there', async () => {
    await world.close();
    await provider.close();
    await start({ roleMap: [{ group: 'engineering', role: 'developer', workspace: 'gone' }] });
    expect(pathOf(await signIn())).toBe('/login?problem=sso_not_allowed');
    expect(world.logs.join('\n')).toContain('There is no workspace');
    const headers = await asOwner();
    const { provider: view } = (await world.call('/api/security/sso', { local: true })).json as {
      provider: object;
    };
    expect(view).toMatchObject({
      issuer: provider.issuer,
      hasClientSecret: true,
      grants: [{ group: 'engineering', workspace: 'gone', problem: 'There is no workspace "gone".' }],
    });
    expect(JSON.stringify(view)).not.toContain(provider.clientSecret);
    const tested = await json(await post('/api/security/sso/test', {}, headers));
    expect(tested).toMatchObject({
      ok: false,
      checks: [{ ok: true }, { ok: true }, { ok: true }, { ok: true }, { ok: false }],
    });
    provider.allowReturn(null);
    const down = await json(await post('/api/security/sso/test', {}, headers));
    expect(down).toMatchObject({ ok: false, checks: [{ ok: false }, { ok: false }] });
  });

  it('takes nobody over: neither by name nor by e-mail address', async () => {
    for (const name of [OWNER.username, OWNER.username.toUpperCase()]) {
      provider.person = { ...ZOE, sub: 'other', preferred_username: name };
      expect(pathOf(await signIn())).toBe('/login?problem=sso_name_taken');
    }
    expect((await me()).user).toBeUndefined();
    expect(await world.deps.store.identity.countUsers()).toBe(1);
  });

  it('refuses a disabled user, a cancelled sign-in, and a return without its beginning', async () => {
    await signIn();
    const zoe = await world.deps.store.identity.findUserByName('zoe');
    const ref = { userId: zoe?.id ?? '', workspaceId: world.deps.firstWorkspaceId };
    await world.deps.store.people.updateMember(ref, { disabledAtMs: 1 });
    expect(pathOf(await signIn())).toBe('/login?problem=sso_not_allowed');
    provider.person = null;
    expect(pathOf(await signIn())).toBe('/login?problem=sso_failed');
    const none = await browser.follow(`${origin}/api/auth/sso/return?code=x&state=y`, isPage);
    expect(pathOf(none)).toBe('/login?problem=sso_failed');
  });

  it('binds the return to the browser that began, to its state, and to ten minutes', async () => {
    const victim = browser;
    const started = await post('/api/auth/sso/start', {});
    const returned = await browser.follow(String((await json(started)).url), (at) =>
      at.pathname.endsWith('/return'),
    );
    browser = new CookieBrowser();
    await post('/api/auth/sso/start', {});
    expect(pathOf(await browser.follow(returned.href, isPage))).toBe('/login?problem=sso_failed');
    expect(browser.cookie(origin, 'tallygate_session')).toBeUndefined();
    browser = victim;
    world.clock.ms += 10 * 60_000;
    expect(pathOf(await browser.follow(returned.href, isPage))).toBe('/login?problem=sso_failed');
  });

  it('leads to no other site afterwards, and keeps the reason out of the address', async () => {
    for (const back of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)']) {
      expect(pathOf(await signIn(back))).toBe('/');
    }
    const log = world.logs.join('\n');
    expect(log).not.toContain(provider.clientSecret);
    expect(log).not.toContain('tgv2.');
  });

  it('leaves a trace of who came, who was made, and who was refused', async () => {
    await signIn();
    provider.person = { ...ZOE, sub: 'nobody', groups: [] };
    await signIn();
    const { entries } = (await world.call('/api/audit', { local: true })).json as {
      entries: {
        action: string;
        outcome: string;
        errorCode: string | null;
        actor: { name: string | null };
      }[];
    };
    const returns = entries.filter(({ action }) => action === 'GET /api/auth/sso/return');
    expect(returns).toMatchObject([
      { outcome: 'refused', errorCode: 'sso_not_allowed' },
      { outcome: 'ok', actor: { name: 'zoe' } },
    ]);
  });

  it('cannot be told from its absence where it is not set', async () => {
    const other = await startAdminWorld(await openTestStore());
    await other.setUp();
    expect((await other.call('/api/setup/status')).json.sso).toBeNull();
    expect((await other.call('/api/auth/sso/start', { body: {} })).status).toBe(404);
    await other.close();
    expect((await world.call('/api/setup/status')).json.sso).toEqual({ name: 'Example SSO' });
  });
});

describe('somebody whom a provider lets in (CF-14)', () => {
  it('has no password to guess, and proves who they are by a fresh sign-in', async () => {
    await signIn();
    for (const password of [' ', 'null', '']) {
      const answer = await world.call('/api/auth/login', { body: { username: 'zoe', password } });
      expect([400, 401]).toContain(answer.status);
    }
    const { csrfToken } = await json(await browser.fetch(`${origin}/api/auth/csrf`));
    const headers = { 'x-csrf-token': String(csrfToken) };
    expect((await post('/api/auth/second-factor/offer', {}, headers)).status).toBe(200);
    world.clock.ms += 10 * 60_000;
    const late = await post('/api/auth/second-factor/offer', {}, headers);
    expect([late.status, (await json(late)).error]).toMatchObject([403, { code: 'sign_in_again' }]);
    const change = await post(
      '/api/auth/password',
      { current: 'x', password: 'seven quiet otters' },
      headers,
    );
    expect(change.status).toBe(409);
  });

  it('owes the second factor that their role needs, unless the provider asks for it', async () => {
    const rule = { method: 'PATCH', local: true, body: { roles: ['developer'] } };
    await world.call('/api/security/second-factor', rule);
    await signIn();
    expect((await me()).stage).toBe('enrol');
    await world.close();
    await provider.close();
    await start({ settlesSecondFactor: true });
    await world.call('/api/security/second-factor', rule);
    await signIn();
    expect((await me()).stage).toBe('full');
  });

  it('reads roles from a claim inside another, and falls back to the default role', async () => {
    await world.close();
    await provider.close();
    await start({ roleClaim: 'realm_access.roles', defaultRole: 'viewer', userClaim: 'nickname' });
    provider.person = { sub: 'k-1', email: 'kim@example.com', realm_access: { roles: ['engineering'] } };
    await signIn();
    expect(await me()).toMatchObject({ user: { username: 'kim@example.com', role: 'developer' } });
    provider.person = { sub: 'k-2', email: 'lee@example.com' };
    await signIn();
    expect(await me()).toMatchObject({ user: { role: 'viewer' } });
  });
});

describe('connecting a provider to a user who is there (CF-14)', () => {
  it('needs the password, keeps the role, and can be undone', async () => {
    const headers = await asOwner();
    expect((await post('/api/auth/sso/connect', { password: 'wrong' }, headers)).status).toBe(401);
    const begun = await json(await post('/api/auth/sso/connect', { password: OWNER.password }, headers));
    expect(pathOf(await browser.follow(String(begun.url), isPage))).toBe('/my-security');
    const own = await json(await browser.fetch(`${origin}/api/auth/sso`));
    expect(own).toMatchObject({ provider: 'Example SSO', connected: { subject: 'z-1', managed: false } });
    browser = new CookieBrowser();
    await signIn();
    expect(await me()).toMatchObject({ user: { username: 'maria', role: 'owner' } });
    const again = await asOwner();
    expect((await post('/api/auth/sso/disconnect', { password: OWNER.password }, again)).status).toBe(200);
    await signIn();
    expect(await me()).toMatchObject({ user: { username: 'zoe' } });
  });

  it('does not give one account to two users', async () => {
    await signIn();
    browser = new CookieBrowser();
    const headers = await asOwner();
    const begun = await json(await post('/api/auth/sso/connect', { password: OWNER.password }, headers));
    expect(pathOf(await browser.follow(String(begun.url), isPage))).toBe(
      '/my-security?problem=sso_connected',
    );
  });
});

describe('a provider that is not as it should be (CF-14)', () => {
  it('down: the sign-in says so, and works once it is back', async () => {
    provider.allowReturn(null);
    const answer = await post('/api/auth/sso/start', {});
    expect([answer.status, (await json(answer)).error]).toMatchObject([503, { code: 'sso_unavailable' }]);
    provider.allowReturn(`${origin}/api/auth/sso/return`);
    expect(pathOf(await signIn())).toBe('/');
  });

  it('a wrong client secret lets nobody in', async () => {
    await world.close();
    await provider.close();
    await start({}, 'another secret');
    expect(pathOf(await signIn())).toBe('/login?problem=sso_failed');
    expect(world.logs.join('\n')).not.toContain('another secret');
  });
});
