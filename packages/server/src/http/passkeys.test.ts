import {
  type AdminWorld,
  type Answer,
  OWNER,
  type SignedIn,
  startAdminWorld,
} from '@tallygate/testkit/admin-world';
import { SoftPasskey } from '@tallygate/testkit/soft-passkey';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
let owner: SignedIn;
let site: { challenge: string; origin: string; rpId: string };
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  owner = await world.setUp();
  site = { challenge: '', origin: `http://localhost:${world.port}`, rpId: 'localhost' };
});
afterEach(() => world.close());

type Who = { headers: Record<string, string> };
const NOBODY: Who = { headers: {} };
const call = (who: Who, path: string, body?: unknown, method = 'POST'): Promise<Answer> =>
  world.call(`/api/auth/${path}`, {
    method,
    headers: { ...who.headers, host: `localhost:${world.port}` },
    ...(body === undefined ? {} : { body }),
  });
const me = (who: Who) => world.call('/api/auth/me', { headers: who.headers });

interface Options {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  userVerification?: string;
  allowCredentials?: { id: string }[];
}
const optionsOf = ({ json }: Answer): Options => json.options as Options;

async function add(who: Who, passkey = new SoftPasskey(), name = 'phone') {
  const offer = optionsOf(await call(who, 'passkeys/offer', { password: OWNER.password }));
  expect(offer.rp?.id).toBe('localhost');
  const credential = passkey.create({ ...site, challenge: offer.challenge });
  const added = await call(who, 'passkeys', { name, credential });
  expect(added.status).toBe(201);
  return { passkey, id: (added.json.passkey as { id: string }).id, codes: added.json.recoveryCodes };
}

async function signedIn(answer: Answer): Promise<SignedIn> {
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const csrf = String((await world.call('/api/auth/csrf', { headers: { cookie } })).json.csrfToken);
  return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf } };
}

async function firstStep(): Promise<SignedIn & { owed: unknown }> {
  const answer = await world.call('/api/auth/login', { body: OWNER });
  return { ...(await signedIn(answer)), owed: answer.json.owed };
}

async function proveAs(
  who: Who,
  passkey: SoftPasskey,
  change: Partial<typeof site> & { userVerified?: boolean } = {},
) {
  const { challenge } = optionsOf(await call(who, 'passkey/ask', {}));
  const credential = passkey.prove({ ...site, challenge, ...change });
  return call(who, 'passkey/sign-in', { credential });
}

const refusal = ({ status, json }: Answer) => [status, json.error?.code];

describe('signing in with a passkey (CF-13)', () => {
  it('needs no password and no second step, and names the session after it', async () => {
    const { passkey } = await add(owner);
    const asked = optionsOf(await call(NOBODY, 'passkey/ask', {}));
    expect([asked.rpId, asked.userVerification, asked.allowCredentials]).toEqual([
      'localhost',
      'required',
      [],
    ]);
    const entered = await proveAs(NOBODY, passkey);
    expect([entered.status, entered.json.stage]).toEqual([200, 'full']);
    const session = await signedIn(entered);
    const { json } = await world.call('/api/auth/sessions', { headers: session.headers });
    expect(json.sessions).toContainEqual(expect.objectContaining({ current: true, method: 'passkey' }));
  });

  it('refuses one that did not check its holder, comes from elsewhere, or is not known', async () => {
    const { passkey } = await add(owner);
    expect(refusal(await proveAs(NOBODY, passkey, { userVerified: false }))).toEqual([
      401,
      'passkey_invalid',
    ]);
    for (const change of [
      { origin: 'http://evil.example' },
      { origin: `http://localhost:${world.port + 1}` },
      { rpId: 'evil.example' },
    ]) {
      expect(refusal(await proveAs(NOBODY, passkey, change))).toEqual([401, 'passkey_invalid']);
    }
    expect(refusal(await proveAs(NOBODY, new SoftPasskey()))).toEqual([401, 'passkey_invalid']);
    expect((await proveAs(NOBODY, passkey)).status).toBe(200);
  });

  it('takes a challenge once, for its purpose alone, and not after five minutes', async () => {
    const { passkey } = await add(owner);
    const { challenge } = optionsOf(await call(NOBODY, 'passkey/ask', {}));
    const credential = passkey.prove({ ...site, challenge });
    expect((await call(NOBODY, 'passkey/sign-in', { credential })).status).toBe(200);
    expect(refusal(await call(NOBODY, 'passkey/sign-in', { credential }))).toEqual([401, 'passkey_invalid']);
    const half = await firstStep();
    const other = optionsOf(await call(NOBODY, 'passkey/ask', {})).challenge;
    const misused = passkey.prove({ ...site, challenge: other });
    expect(refusal(await call(half, 'passkey/sign-in', { credential: misused }))).toEqual([
      401,
      'passkey_invalid',
    ]);
    const late = optionsOf(await call(NOBODY, 'passkey/ask', {})).challenge;
    world.clock.ms += 5 * 60_000;
    const tooLate = passkey.prove({ ...site, challenge: late });
    expect(refusal(await call(NOBODY, 'passkey/sign-in', { credential: tooLate }))).toEqual([
      401,
      'passkey_invalid',
    ]);
    const invented = passkey.prove({ ...site, challenge: 'A'.repeat(43) });
    expect((await call(NOBODY, 'passkey/sign-in', { credential: invented })).status).toBe(401);
  });

  it('notices a copy by its counter', async () => {
    const { passkey } = await add(owner);
    expect((await proveAs(NOBODY, passkey)).status).toBe(200);
    passkey.counter = 0;
    expect(refusal(await proveAs(NOBODY, passkey))).toEqual([401, 'passkey_invalid']);
  });

  it('lets nobody in who is disabled or gone', async () => {
    const mira = await world.join('developer', 'mira');
    const { passkey } = await add(mira);
    const id = (await world.deps.store.identity.findUserByName('mira'))?.id;
    await world.call(`/api/users/${id}`, { method: 'PATCH', local: true, body: { disabled: true } });
    expect(refusal(await proveAs(NOBODY, passkey))).toEqual([401, 'passkey_invalid']);
    await world.call(`/api/users/${id}`, { method: 'DELETE', local: true, body: {} });
    expect(refusal(await proveAs(NOBODY, passkey))).toEqual([401, 'passkey_invalid']);
  });

  it('says where an address has no name', async () => {
    const answer = await world.call('/api/auth/passkey/ask', { method: 'POST', body: {} });
    expect(answer.status).toBe(400);
    expect(answer.json.error?.message).toContain('localhost');
  });
});

describe('a passkey as the second factor (CF-13)', () => {
  it('is owed after the password, and possession is enough then', async () => {
    const { passkey } = await add(owner);
    const half = await firstStep();
    expect(half.owed).toEqual(['passkey', 'recovery']);
    expect((await me(half)).json.error?.code).toBe('second_factor_required');
    const asked = optionsOf(await call(half, 'passkey/ask', {}));
    expect([asked.userVerification, asked.allowCredentials?.map(({ id }) => id)]).toEqual([
      'preferred',
      [passkey.id],
    ]);
    const done = await proveAs(half, passkey, { userVerified: false });
    expect([done.status, done.json.stage]).toEqual([200, 'full']);
    expect((await me(half)).json.error?.code).toBe('session_required');
    expect((await me(await signedIn(done))).status).toBe(200);
  });

  it('of somebody else settles nothing', async () => {
    await add(owner);
    const { passkey } = await add(await world.join('developer', 'mira'));
    const half = await firstStep();
    expect(refusal(await proveAs(half, passkey))).toEqual([401, 'passkey_invalid']);
    expect((await me(half)).json.error?.code).toBe('second_factor_required');
  });

  it('brings recovery codes the first time, which stand in for it once', async () => {
    const other = await world.signIn();
    const { codes } = await add(owner);
    expect(codes).toHaveLength(10);
    expect((await me(other)).status).toBe(401);
    expect((await add(owner)).codes).toBeNull();
    const half = await firstStep();
    const [code] = codes as string[];
    expect((await call(half, 'second-factor', { code })).status).toBe(200);
    expect((await call(await firstStep(), 'second-factor', { code })).status).toBe(401);
  });

  it('fulfils the rule of a role, and the last one stays while the rule holds', async () => {
    const mira = await world.join('developer', 'mira');
    const rule = (roles: string[]) =>
      world.call('/api/security/second-factor', { method: 'PATCH', local: true, body: { roles } });
    await rule(['developer']);
    expect((await me(mira)).json.stage).toBe('enrol');
    const { id } = await add(mira);
    expect((await me(mira)).json.stage).toBe('full');
    const remove = () => call(mira, `passkeys/${id}/remove`, { password: OWNER.password });
    expect((await remove()).status).toBe(409);
    await rule([]);
    expect((await remove()).status).toBe(200);
    expect((await world.call('/api/auth/login', { body: { ...OWNER, username: 'mira' } })).json.stage).toBe(
      'full',
    );
  });
});

describe('one’s own passkeys (CF-13)', () => {
  it('need the password to come and go, keep a name, and are nobody else’s business', async () => {
    expect((await call(owner, 'passkeys/offer', { password: 'wrong' })).status).toBe(401);
    const { id } = await add(owner, new SoftPasskey(), 'phone');
    expect((await call(owner, `passkeys/${id}`, { name: 'old phone' }, 'PATCH')).status).toBe(200);
    const mira = await world.join('developer', 'mira');
    expect((await call(mira, `passkeys/${id}`, { name: 'mine' }, 'PATCH')).status).toBe(404);
    expect((await call(mira, `passkeys/${id}/remove`, { password: OWNER.password })).status).toBe(404);
    const { json } = await call(owner, 'passkeys', undefined, 'GET');
    expect(json.passkeys).toMatchObject([{ id, name: 'old phone', site: 'localhost', lastUsedAt: null }]);
    expect(JSON.stringify(json)).not.toMatch(/publicKey|credentialId/);
    expect((await call(owner, `passkeys/${id}/remove`, { password: 'wrong' })).status).toBe(401);
    const users = await world.call('/api/users', { local: true });
    expect(users.json.users).toMatchObject([{ secondFactor: true, passkeys: 1 }, { passkeys: 0 }]);
  });

  it('cannot be added from an offer to somebody else, nor twice', async () => {
    const mira = await world.join('developer', 'mira');
    const passkey = new SoftPasskey();
    const { challenge } = optionsOf(await call(owner, 'passkeys/offer', { password: OWNER.password }));
    const credential = passkey.create({ ...site, challenge });
    expect(refusal(await call(mira, 'passkeys', { name: 'x', credential }))).toEqual([
      401,
      'passkey_invalid',
    ]);
    expect((await call(owner, 'passkeys', { name: 'x', credential })).status).toBe(201);
    const again = optionsOf(await call(mira, 'passkeys/offer', { password: OWNER.password })).challenge;
    const twice = passkey.create({ ...site, challenge: again });
    expect((await call(mira, 'passkeys', { name: 'x', credential: twice })).status).toBe(409);
  });

  it('leave a trace with their name and without their key', async () => {
    const { id } = await add(owner, new SoftPasskey(), 'phone');
    const { json } = await world.call('/api/audit', { local: true });
    const entries = json.entries as {
      action: string;
      outcome: string;
      resourceId: string;
      changes: unknown;
    }[];
    const added = entries.find(
      (entry) => entry.action === 'POST /api/auth/passkeys' && entry.outcome === 'ok',
    );
    expect(added).toMatchObject({ resourceId: id });
    expect(JSON.stringify(added?.changes)).toContain('phone');
  });

  it('are reset by somebody who manages users', async () => {
    const mira = await world.join('developer', 'mira');
    const { passkey } = await add(mira);
    const id = (await world.deps.store.identity.findUserByName('mira'))?.id;
    await world.call(`/api/users/${id}/second-factor`, { method: 'DELETE', local: true, body: {} });
    expect((await me(mira)).status).toBe(401);
    expect((await proveAs(NOBODY, passkey)).status).toBe(401);
    const again = await world.call('/api/auth/login', { body: { ...OWNER, username: 'mira' } });
    expect(again.json.stage).toBe('full');
  });
});
