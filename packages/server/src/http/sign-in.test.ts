import { randomBytes } from 'node:crypto';
import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seedOwner } from '../identity/owner.ts';
import { createPasswordHasher } from '../identity/password-hash.ts';
import { sha256Hex } from '../identity/token.ts';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import { Secret } from '../kernel/secret.ts';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const me = (cookie: string) => world.call('/api/auth/me', { headers: { cookie } });

describe('POST /api/setup (WT-11, TW-01)', () => {
  it('403 for a wrong code; 201 for the right one, once; 409 ever after', async () => {
    const code = world.deps.setup.issue().reveal();
    expect((await world.call('/api/setup/status')).json).toMatchObject({
      needsSetup: true,
      db: { kind: 'sqlite' },
    });
    const wrong = await world.call('/api/setup', { body: { code: `${code}x`, ...OWNER } });
    expect([wrong.status, wrong.json.error?.code]).toEqual([403, 'setup_code_invalid']);
    const right = await world.call('/api/setup', { body: { code, ...OWNER } });
    expect(right.status).toBe(201);
    expect(right.json).toMatchObject({ user: { username: 'maria', role: 'owner' } });
    const again = await world.call('/api/setup', { body: { code, ...OWNER } });
    expect([again.status, again.json.error?.code]).toEqual([409, 'setup_done']);
    expect((await world.call('/api/setup/status')).json).toMatchObject({ needsSetup: false });
  });

  it('403 when no code was issued at all', async () => {
    expect((await world.call('/api/setup', { body: { code: 'undefined', ...OWNER } })).status).toBe(403);
  });

  it('400 for a weak password, which does not use the code up', async () => {
    const code = world.deps.setup.issue().reveal();
    const weak = await world.call('/api/setup', {
      body: { code, username: 'maria', password: 'change_me_now' },
    });
    expect([weak.status, weak.json.error?.code]).toEqual([400, 'weak_password']);
    expect((await world.call('/api/setup', { body: { code, ...OWNER } })).status).toBe(201);
  });

  it('lets one of many racing set-ups win, with one owner in the end', async () => {
    const code = world.deps.setup.issue().reveal();
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        world.call('/api/setup', { body: { code, username: `owner${i}`, password: OWNER.password } }),
      ),
    );
    expect(tries.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(tries.every((answer) => [201, 403, 409].includes(answer.status))).toBe(true);
    expect(await world.deps.store.identity.countUsers()).toBe(1);
  });

  it('403 setup_required for a sign-in before there is an owner', async () => {
    const answer = await world.call('/api/auth/login', { body: OWNER });
    expect([answer.status, answer.json.error?.code]).toEqual([403, 'setup_required']);
  });
});

describe('seedOwner (TW-03)', () => {
  const parts = () => ({
    store: world.deps.store.identity,
    clock: world.deps.clock,
    newId: world.deps.newId,
    hasher: createPasswordHasher(),
    firstWorkspaceId: world.deps.firstWorkspaceId,
  });

  it('creates the first owner, and afterwards changes nothing', async () => {
    const seed = { username: OWNER.username, password: new Secret(OWNER.password) };
    expect(await seedOwner(parts(), seed)).toBe('created');
    await world.signIn();
    const other = { username: 'mallory', password: new Secret('another long passphrase') };
    expect(await seedOwner(parts(), other)).toBe('ignored');
    expect(
      (
        await world.call('/api/auth/login', {
          body: { username: 'mallory', password: 'another long passphrase' },
        })
      ).status,
    ).toBe(401);
    await world.signIn();
  });

  it.each(['change_me_please', 'admin', 'password', 'maria'])(
    'refuses %s without repeating it',
    async (password) => {
      const seed = { username: 'maria', password: new Secret(password) };
      await expect(seedOwner(parts(), seed)).rejects.toMatchObject({ code: 'weak_password' });
      expect(await world.deps.store.identity.countUsers()).toBe(0);
    },
  );

  it('refuses a user name that set-up would refuse', async () => {
    const seed = { username: 'a b', password: new Secret(OWNER.password) };
    await expect(seedOwner(parts(), seed)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('sessions (TW-02, TW-04)', () => {
  it('set an HttpOnly, SameSite=Strict cookie for all paths; plain http gets neither prefix nor Secure', async () => {
    await world.setUp();
    const answer = await world.call('/api/auth/login', { body: OWNER });
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^tallygate_session=[A-Za-z0-9_-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  it('store the cookie only as a hash', async () => {
    const { cookie } = await world.setUp();
    const token = cookie.split('=')[1] ?? '';
    const row = await world.deps.store.identity.findSession(sha256Hex(token));
    expect(row).not.toBeNull();
    expect(JSON.stringify(row)).not.toContain(token);
  });

  it('end on the server with the sign-out, everywhere at once', async () => {
    const first = await world.setUp();
    const second = await world.signIn();
    const out = await world.call('/api/auth/logout', { method: 'POST', headers: first.headers });
    expect(out.status).toBe(200);
    expect(out.headers['set-cookie']?.[0]).toMatch(/^tallygate_session=; Max-Age=0; /);
    expect((await me(first.cookie)).status).toBe(401);
    expect((await me(second.cookie)).status).toBe(200);
  });

  it('are replaced, not joined, by a sign-in that brings one along', async () => {
    const first = await world.setUp();
    const again = await world.call('/api/auth/login', { body: OWNER, headers: { cookie: first.cookie } });
    expect(again.status).toBe(200);
    expect(again.headers['set-cookie']?.[0]).not.toContain(first.cookie);
    expect((await me(first.cookie)).status).toBe(401);
  });

  it('never take a value that the client made up (fixation)', async () => {
    await world.setUp();
    const planted = `tallygate_session=${randomBytes(32).toString('base64url')}`;
    const answer = await world.call('/api/auth/login', { body: OWNER, headers: { cookie: planted } });
    expect(answer.headers['set-cookie']?.[0]).not.toContain(planted);
    expect((await me(planted)).status).toBe(401);
  });

  it('end after being idle, and at their age however busy', async () => {
    const { cookie } = await world.setUp();
    world.clock.ms += 3_599_000;
    expect((await me(cookie)).status).toBe(200); // and counts as use
    world.clock.ms += 3_599_000;
    expect((await me(cookie)).status).toBe(200);
    world.clock.ms += 3_600_000;
    expect((await me(cookie)).status).toBe(401);

    const busy = await world.signIn();
    for (let elapsed = 0; elapsed < 86_400_000 - 1_800_000; elapsed += 1_800_000) {
      world.clock.ms += 1_800_000;
      expect((await me(busy.cookie)).status).toBe(200);
    }
    world.clock.ms += 1_800_000;
    expect((await me(busy.cookie)).status).toBe(401);
  });

  it('are not found under an ambiguous, malformed or prefixed cookie on plain http', async () => {
    const { cookie } = await world.setUp();
    const value = cookie.split('=')[1];
    for (const header of [
      `${cookie}; ${cookie}`,
      `__Host-${cookie}`,
      `tallygate_session="${value}"`,
      `x${cookie}`,
      `tallygate_session=${value}%`,
    ]) {
      expect((await me(header)).status).toBe(401);
    }
    expect((await me(`a=b; ${cookie}; c=d`)).status).toBe(200);
  });
});

describe('CSRF (TW-15)', () => {
  it('gives every tab of a session the same token, and another session another one', async () => {
    const first = await world.setUp();
    const tab = await world.call('/api/auth/csrf', { headers: { cookie: first.cookie } });
    expect(tab.json.csrfToken).toBe(first.csrf);
    const second = await world.signIn();
    expect(second.csrf).not.toBe(first.csrf);
    const crossed = await world.call('/api/projects', {
      body: { slug: 'x' },
      headers: { cookie: first.cookie, 'x-csrf-token': second.csrf },
    });
    expect([crossed.status, crossed.json.error?.code]).toEqual([403, 'csrf_failed']);
  });

  it('takes a write of our own page: same Origin, whatever the scheme in front of a proxy', async () => {
    const { headers } = await world.setUp();
    const host = `127.0.0.1:${world.port}`;
    for (const [i, origin] of [`http://${host}`, `https://${host}`].entries()) {
      const own = { ...headers, origin, 'sec-fetch-site': 'same-origin' };
      expect((await world.call('/api/projects', { body: { slug: `p${i}` }, headers: own })).status).toBe(201);
    }
    for (const origin of [
      `http://127.0.0.1:${world.port + 1}`,
      'http://localhost',
      `http://${host}.evil.example`,
    ]) {
      expect(
        (await world.call('/api/projects', { body: { slug: 'q' }, headers: { ...headers, origin } })).status,
      ).toBe(403);
    }
  });

  it('protects sign-in itself from other sites', async () => {
    await world.setUp();
    const answer = await world.call('/api/auth/login', {
      body: OWNER,
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.json.error?.code).toBe('csrf_failed');
  });

  it('exempts keys', async () => {
    const { key } = await world.makeKey(['admin']);
    const answer = await world.call('/api/projects', {
      body: { slug: 'by-key' },
      headers: { authorization: `Bearer ${key}` },
    });
    expect(answer.status).toBe(201);
  });

  it('lets a wrong key fail although a good session came along', async () => {
    const { headers } = await world.setUp();
    const answer = await world.call('/api/keys', {
      headers: { ...headers, authorization: `Bearer tg_${'A'.repeat(43)}` },
    });
    expect([answer.status, answer.json.error?.code]).toEqual([401, 'invalid_api_key']);
  });

  it.each(KEY_HEADERS)(
    'takes a key in %s, and refuses two different keys in one request (CW-02)',
    async (name) => {
      const [a, b] = [await world.makeKey(['admin']), await world.makeKey(['admin'])];
      expect((await world.call('/api/keys', { headers: { [name]: a.key } })).status).toBe(200);
      const both = (other: string) =>
        world.call('/api/keys', { headers: { authorization: `Bearer ${a.key}`, [name]: other } });
      expect((await both(b.key)).status).toBe(401);
      expect((await both(a.key)).status).toBe(200);
    },
  );

  it('keeps keys of widgets and of administrators apart: none does the work of the other (CW-02)', async () => {
    const widgets = [await world.makeKey(['chat']), await world.makeKey(['chat'])];
    for (const { key } of widgets) {
      for (const name of KEY_HEADERS) {
        const answer = await world.call('/api/keys', { headers: { [name]: key } });
        expect([answer.status, answer.json.error?.code]).toEqual([403, 'permission_denied']);
      }
    }
    const [first] = (await world.deps.store.config.listKeys(null)).filter(({ scopes }) =>
      scopes.includes('chat'),
    );
    expect(first?.scopes).toEqual(['chat']);
  });
});

describe('POST /api/auth/login', () => {
  it('401 with one and the same answer for a wrong name and a wrong password', async () => {
    await world.setUp();
    const wrongPassword = await world.call('/api/auth/login', { body: { ...OWNER, password: 'x' } });
    const wrongName = await world.call('/api/auth/login', { body: { ...OWNER, username: 'nobody' } });
    expect(wrongPassword.status).toBe(401);
    const strip = (text: string) => text.replace(/"requestId":"[^"]+"/, '');
    expect(strip(wrongName.text)).toBe(strip(wrongPassword.text));
  });

  it('lets the same person in, in whatever case the name is typed, and counts one name', async () => {
    await world.setUp();
    const shouted = { ...OWNER, username: OWNER.username.toUpperCase() };
    const signedIn = await world.call('/api/auth/login', { body: shouted });
    expect(signedIn.json).toMatchObject({ user: { username: OWNER.username } });
    const wrong = (name: string) =>
      world.call('/api/auth/login', { body: { username: name, password: 'x' } });
    for (let i = 0; i < 5; i++) await wrong(i % 2 === 0 ? OWNER.username : shouted.username);
    expect((await wrong(OWNER.username)).status).toBe(429);
  });

  it('429 with a growing Retry-After, and never a lock-out', async () => {
    await world.setUp();
    const fail = () => world.call('/api/auth/login', { body: { ...OWNER, password: 'wrong' } });
    for (let i = 0; i < 5; i++) expect((await fail()).status).toBe(401);
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const refused = await fail();
      expect([refused.status, refused.json.error?.code]).toEqual([429, 'login_throttled']);
      waits.push(Number(refused.headers['retry-after']));
      world.clock.ms += (waits.at(-1) ?? 0) * 1000;
      await fail();
    }
    expect(waits).toEqual([1, 2, 4, 8]);
    world.clock.ms += 60_000;
    await world.signIn();
  });
});
