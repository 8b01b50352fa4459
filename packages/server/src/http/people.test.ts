import { type AdminWorld, OWNER, type SignedIn, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openEvents } from '@tallygate/testkit/event-client';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PASSWORD = 'seven quiet otters paddle';

let world: AdminWorld;
let owner: SignedIn;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  owner = await world.setUp();
});
afterEach(() => world.close());

const idOf = async (username: string): Promise<string> =>
  (await world.deps.store.identity.findUserByName(username))?.id ?? 'nobody';
const as = (who: SignedIn, path: string, method: string, body?: unknown) =>
  world.call(path, { method, headers: who.headers, ...(method === 'GET' ? {} : { body: body ?? {} }) });
const codeOf = (path: unknown): string => String(path).split('#code=')[1] ?? '';
const login = (username: string, password = OWNER.password) =>
  world.call('/api/auth/login', { body: { username, password } });

describe('invitations (CF-14)', () => {
  it('make a user with the role, once, through a link whose code is stored nowhere', async () => {
    const made = await as(owner, '/api/invitations', 'POST', { role: 'developer', note: 'Zoë' });
    expect(made.status).toBe(201);
    const code = codeOf(made.json.path);
    expect(Buffer.from(code, 'base64url')).toHaveLength(32);
    const stored = await world.deps.store.people.listLinks(null, 0);
    expect(JSON.stringify(stored)).not.toContain(code);
    expect(world.logs.join()).not.toContain(code);
    const look = await world.call('/api/entry/look', { body: { code } });
    expect(look.json).toMatchObject({ purpose: 'invitation', role: 'developer', username: null });
    const listed = await as(owner, '/api/invitations', 'GET');
    expect(listed.json.invitations).toMatchObject([{ role: 'developer', note: 'Zoë', createdBy: 'maria' }]);
    const tries = await Promise.all(
      ['zoe', 'mallory'].map((username) =>
        world.call('/api/entry/accept', { body: { code, username, password: PASSWORD } }),
      ),
    );
    expect(tries.map((answer) => answer.status).sort()).toEqual([201, 403]);
    const won = tries.find((answer) => answer.status === 201);
    expect(won?.json).toMatchObject({ user: { role: 'developer' }, stage: 'full' });
    expect(won?.headers['set-cookie']?.[0]).toContain('HttpOnly');
    expect((await as(owner, '/api/invitations', 'GET')).json.invitations).toEqual([]);
    expect((await world.call('/api/entry/look', { body: { code } })).json.error?.code).toBe('link_invalid');
  });

  it('survive a weak password, a taken name and a missing name, and end by time or withdrawal', async () => {
    const invite = async () =>
      codeOf((await as(owner, '/api/invitations', 'POST', { role: 'viewer', expiresInHours: 1 })).json.path);
    const code = await invite();
    const accept = (body: object) => world.call('/api/entry/accept', { body: { code, ...body } });
    expect((await accept({ username: 'ada', password: 'password1234' })).json.error?.code).toBe(
      'weak_password',
    );
    for (const username of ['maria', 'Maria', 'MARIA'])
      expect((await accept({ username, password: PASSWORD })).json.error?.code).toBe('name_taken');
    expect((await accept({ password: PASSWORD })).json.error?.code).toBe('invalid_request');
    world.clock.ms += 3_600_000;
    expect((await accept({ username: 'ada', password: PASSWORD })).json.error?.code).toBe('link_invalid');
    owner = await world.signIn();
    const second = await invite();
    const [open] = (await as(owner, '/api/invitations', 'GET')).json.invitations as { id: string }[];
    expect((await as(owner, `/api/invitations/${open?.id}`, 'DELETE')).status).toBe(200);
    expect((await world.call('/api/entry/look', { body: { code: second } })).status).toBe(403);
  });
});

describe('nobody grants what they do not hold (CF-14)', () => {
  let admin: SignedIn;
  beforeEach(async () => {
    admin = await world.join('admin', 'ada');
  });

  it('not by invitation, role change, own role or key', async () => {
    await world.join('viewer', 'vic');
    const refused = [
      await as(admin, '/api/invitations', 'POST', { role: 'owner' }),
      await as(admin, `/api/users/${await idOf('vic')}`, 'PATCH', { role: 'owner' }),
      await as(admin, `/api/users/${await idOf('ada')}`, 'PATCH', { role: 'owner' }),
      await as(admin, '/api/roles', 'POST', { name: 'super', permissions: ['system.manage'] }),
      await as(admin, '/api/keys', 'POST', { name: 'k', scopes: ['admin'] }),
    ];
    for (const answer of refused) {
      expect([answer.status, answer.json.error?.code]).toEqual([403, 'permission_denied']);
      expect(answer.json.error?.message).toContain('system.manage');
    }
    expect((await as(admin, '/api/invitations', 'POST', { role: 'admin' })).status).toBe(201);
    expect((await as(admin, `/api/users/${await idOf('vic')}`, 'PATCH', { role: 'nope' })).status).toBe(400);
    const strong = await world.makeKey(['admin']);
    expect((await as(admin, `/api/keys/${strong.id}/rotate`, 'POST', { overlapSeconds: 0 })).status).toBe(
      403,
    );
    const read = await as(admin, '/api/keys', 'POST', { name: 'k', scopes: ['read', 'gateway'] });
    expect(read.status).toBe(201);
  });

  it('and does nothing to somebody who holds more', async () => {
    const id = await idOf('maria');
    const session = ((await as(owner, '/api/auth/sessions', 'GET')).json.sessions as { id: string }[])[0]?.id;
    const refused = [
      await as(admin, `/api/users/${id}`, 'PATCH', { role: 'viewer' }),
      await as(admin, `/api/users/${id}`, 'PATCH', { disabled: true }),
      await as(admin, `/api/users/${id}`, 'DELETE'),
      await as(admin, `/api/users/${id}/reset-password`, 'POST'),
      await as(admin, `/api/users/${id}/second-factor`, 'DELETE'),
      await as(admin, `/api/users/${id}/sessions`, 'DELETE'),
      await as(admin, `/api/sessions/${session}`, 'DELETE'),
    ];
    expect(refused.map((answer) => answer.status)).toEqual(new Array(7).fill(403));
    expect((await as(owner, '/api/auth/me', 'GET')).status).toBe(200);
  });

  it('changes no role that carries more, in either direction', async () => {
    const make = { name: 'operators', permissions: ['system.manage', 'usage.view'] };
    expect((await as(owner, '/api/roles', 'POST', make)).status).toBe(201);
    expect((await as(admin, '/api/roles/operators', 'PATCH', { permissions: ['usage.view'] })).status).toBe(
      403,
    );
    expect((await as(admin, '/api/roles/operators', 'DELETE')).status).toBe(403);
    expect((await as(owner, '/api/roles/owner', 'PATCH', { permissions: ['usage.view'] })).status).toBe(409);
    expect((await as(owner, '/api/roles/viewer', 'DELETE')).status).toBe(409);
    expect((await as(owner, '/api/roles', 'POST', { ...make, name: 'admin' })).status).toBe(409);
    expect((await as(owner, '/api/roles', 'POST', { name: 'x1', permissions: ['fly'] })).status).toBe(400);
  });
});

describe('users (CF-14)', () => {
  it('change their rights with their role at once, live views included', async () => {
    const dev = await world.join('developer', 'dev');
    const live = await openEvents(world.port, '/api/requests/stream', { cookie: dev.cookie });
    expect(live.status).toBe(200);
    expect((await as(owner, `/api/users/${await idOf('dev')}`, 'PATCH', { role: 'viewer' })).status).toBe(
      200,
    );
    await live.ended;
    expect((await as(dev, '/api/requests', 'GET')).status).toBe(403);
    expect((await as(dev, '/api/auth/me', 'GET')).json.permissions).toEqual([
      'dashboard.view',
      'usage.view',
      'budgets.view',
      'alerts.view',
    ]);
  });

  it('lose sessions and sign-in when disabled, with the answer of a wrong password, and get it back', async () => {
    const dev = await world.join('developer', 'dev');
    const id = await idOf('dev');
    expect((await as(owner, `/api/users/${id}`, 'PATCH', { disabled: true })).status).toBe(200);
    expect((await as(dev, '/api/auth/me', 'GET')).status).toBe(401);
    expect((await login('dev')).json.error?.code).toBe('invalid_credentials');
    expect((await as(owner, `/api/users/${id}/reset-password`, 'POST')).status).toBe(409);
    await as(owner, `/api/users/${id}`, 'PATCH', { disabled: false });
    expect((await login('dev')).status).toBe(200);
    expect((await as(owner, `/api/users/${id}`, 'DELETE')).status).toBe(200);
    expect((await login('dev')).status).toBe(401);
    expect((await as(owner, `/api/users/${id}`, 'DELETE')).status).toBe(404);
  });

  it('keep one owner, whatever two requests do at once', async () => {
    await world.join('owner', 'second');
    const [a, b] = [await idOf('maria'), await idOf('second')];
    const answers = await Promise.all([
      world.call(`/api/users/${a}`, { method: 'DELETE', local: true, body: {} }),
      world.call(`/api/users/${b}`, { method: 'PATCH', local: true, body: { role: 'viewer' } }),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(answers.find((answer) => answer.status === 409)?.json.error?.code).toBe('last_owner');
    const left = (await world.deps.store.people.listMembers(world.deps.firstWorkspaceId)).filter(
      (user) => user.role === 'owner',
    );
    expect(left).toHaveLength(1);
  });

  it('set a new password through a one-time link, which ends their sessions', async () => {
    const dev = await world.join('developer', 'dev');
    const made = await as(owner, `/api/users/${await idOf('dev')}/reset-password`, 'POST');
    const body = { code: codeOf(made.json.path), password: PASSWORD };
    expect((await world.call('/api/entry/look', { body: { code: body.code } })).json).toMatchObject({
      purpose: 'new_password',
      username: 'dev',
    });
    expect((await world.call('/api/entry/accept', { body })).status).toBe(201);
    expect((await world.call('/api/entry/accept', { body })).status).toBe(403);
    expect((await as(dev, '/api/auth/me', 'GET')).status).toBe(401);
    expect((await login('dev')).status).toBe(401);
    expect((await login('dev', PASSWORD)).status).toBe(200);
  });
});

describe('one’s own password and sessions (TW-02)', () => {
  it('a change needs the current password, refuses weak ones, and ends the other sessions', async () => {
    const other = await world.signIn();
    const change = (current: string, password: string) =>
      as(owner, '/api/auth/password', 'POST', { current, password });
    expect((await change('wrong', PASSWORD)).json.error?.code).toBe('invalid_credentials');
    expect((await change(OWNER.password, 'password1234')).json.error?.code).toBe('weak_password');
    expect((await change(OWNER.password, PASSWORD)).json).toEqual({ ended: 1 });
    expect((await as(other, '/api/auth/me', 'GET')).status).toBe(401);
    expect((await as(owner, '/api/auth/me', 'GET')).status).toBe(200);
    expect((await login('maria')).status).toBe(401);
    expect((await login('maria', PASSWORD)).status).toBe(200);
  });

  it('a stolen session cannot try passwords faster than the sign-in', async () => {
    const tries = [];
    for (let i = 0; i < 7; i++) {
      tries.push(
        (await as(owner, '/api/auth/password', 'POST', { current: 'x', password: PASSWORD })).status,
      );
    }
    expect(tries).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  it('are listed and ended one by one, all others, and by whoever manages users', async () => {
    const dev = await world.join('developer', 'dev');
    const second = await world.signIn();
    const own = (await as(owner, '/api/auth/sessions', 'GET')).json.sessions as {
      id: string;
      current: boolean;
    }[];
    expect(own.map((session) => session.current).sort()).toEqual([false, true]);
    const otherId = own.find((session) => !session.current)?.id;
    const everybody = (await as(owner, '/api/sessions', 'GET')).json.sessions as {
      id: string;
      user: { username: string };
    }[];
    expect(everybody.map((session) => session.user.username).sort()).toEqual(['dev', 'maria', 'maria']);
    const devs = everybody.find((session) => session.user.username === 'dev')?.id;
    expect((await as(owner, `/api/auth/sessions/${devs}`, 'DELETE')).status).toBe(404);
    expect((await as(owner, `/api/auth/sessions/${otherId}`, 'DELETE')).status).toBe(200);
    expect((await as(second, '/api/auth/me', 'GET')).status).toBe(401);
    expect((await as(owner, `/api/sessions/${devs}`, 'DELETE')).status).toBe(200);
    expect((await as(dev, '/api/auth/me', 'GET')).status).toBe(401);
    const third = await world.signIn();
    expect((await as(third, '/api/auth/sessions/end-others', 'POST')).json).toEqual({ ended: 1 });
    expect((await as(owner, '/api/auth/me', 'GET')).status).toBe(401);
    expect(JSON.stringify(everybody)).not.toContain(owner.cookie.split('=')[1]);
  });
});
