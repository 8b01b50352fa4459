import { type AdminWorld, OWNER, type SignedIn, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hotp } from '../identity/totp.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

let world: AdminWorld;
let owner: SignedIn;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  owner = await world.setUp();
});
afterEach(() => world.close());

function bytesOf(secret: string): Buffer {
  const bits = [...secret].map((char) => BASE32.indexOf(char).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
const codeNow = (secret: string, steps = 0): string =>
  hotp(bytesOf(secret), Math.floor(world.clock.ms / STEP_MS) + steps);
const post = (who: { headers: Record<string, string> }, path: string, body: unknown = {}) =>
  world.call(`/api/auth/${path}`, { method: 'POST', headers: who.headers, body });
const me = (who: SignedIn) => world.call('/api/auth/me', { headers: who.headers });

async function enrol(who: SignedIn): Promise<{ secret: string; recoveryCodes: string[] }> {
  const offer = await post(who, 'second-factor/offer', { password: OWNER.password });
  const secret = String(offer.json.secret);
  const confirmed = await post(who, 'second-factor/confirm', { code: codeNow(secret) });
  expect(confirmed.status).toBe(200);
  world.clock.ms += STEP_MS; // the code is used up
  return { secret, recoveryCodes: confirmed.json.recoveryCodes as string[] };
}

/** The first step: the password is right, the code is owed. */
async function firstStep(username = OWNER.username): Promise<SignedIn & { stage: unknown }> {
  const answer = await world.call('/api/auth/login', { body: { ...OWNER, username } });
  expect(answer.status).toBe(200);
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const csrf = String((await world.call('/api/auth/csrf', { headers: { cookie } })).json.csrfToken);
  return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf }, stage: answer.json.stage };
}

describe('signing in with a second factor (CF-13)', () => {
  it('takes two steps; the first one opens nothing but the second', async () => {
    const { secret } = await enrol(owner);
    const half = await firstStep();
    expect(half.stage).toBe('second_factor');
    for (const path of ['/api/auth/me', '/api/keys', '/api/auth/sessions', '/api/usage/totals']) {
      const answer = await world.call(path, { headers: half.headers });
      expect([answer.status, answer.json.error?.code]).toEqual([401, 'second_factor_required']);
    }
    expect((await post(half, 'second-factor/remove', { password: OWNER.password })).status).toBe(401);
    const done = await post(half, 'second-factor', { code: codeNow(secret) });
    expect([done.status, done.json.stage]).toEqual([200, 'full']);
    const cookie = done.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(cookie).not.toBe(half.cookie);
    expect((await world.call('/api/auth/me', { headers: { cookie } })).status).toBe(200);
    expect((await me(half)).json.error?.code).toBe('session_required');
  });

  it('takes a code once, also from two sign-ins at once, and none that is older', async () => {
    const { secret } = await enrol(owner);
    const halves = [await firstStep(), await firstStep()];
    const code = codeNow(secret);
    const answers = await Promise.all(halves.map((half) => post(half, 'second-factor', { code })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401]);
    const third = await firstStep();
    for (const used of [code, codeNow(secret, -1)]) {
      expect((await post(third, 'second-factor', { code: used })).json.error?.code).toBe(
        'second_factor_invalid',
      );
    }
    expect((await post(third, 'second-factor', { code: codeNow(secret, 1) })).status).toBe(200);
  });

  it('takes each recovery code once, however it is typed, and stores only hashes', async () => {
    const { recoveryCodes } = await enrol(owner);
    expect(new Set(recoveryCodes).size).toBe(10);
    const [first = ''] = recoveryCodes;
    expect(first).toMatch(/^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/);
    expect(world.logs.join()).not.toContain(first);
    const typed = ` ${first.toLowerCase().replaceAll('-', ' ')} `;
    expect((await post(await firstStep(), 'second-factor', { code: typed })).status).toBe(200);
    expect((await post(await firstStep(), 'second-factor', { code: first })).status).toBe(401);
    const [status] = await Promise.all([world.call('/api/auth/second-factor', { headers: owner.headers })]);
    expect(status.json).toEqual({ enrolled: true, passkeys: 0, required: false, recoveryCodesLeft: 9 });
    const renewed = await post(owner, 'second-factor/recovery-codes', { password: OWNER.password });
    const fresh = renewed.json.recoveryCodes as string[];
    expect((await post(await firstStep(), 'second-factor', { code: recoveryCodes[1] })).status).toBe(401);
    expect((await post(await firstStep(), 'second-factor', { code: fresh[1] })).status).toBe(200);
  });

  it('ends the first step after five wrong codes, and after five minutes', async () => {
    const { secret } = await enrol(owner);
    const half = await firstStep();
    for (let i = 0; i < 5; i++) {
      expect((await post(half, 'second-factor', { code: '000000' })).json.error?.code).toBe(
        'second_factor_invalid',
      );
    }
    const good = await post(half, 'second-factor', { code: codeNow(secret) });
    expect([good.status, good.json.error?.code]).toEqual([401, 'session_required']);
    const late = await firstStep();
    world.clock.ms += 5 * 60_000;
    expect((await post(late, 'second-factor', { code: codeNow(secret) })).status).toBe(401);
  });

  it('slows codes down over all first steps, and leaves recovery codes open', async () => {
    const { recoveryCodes } = await enrol(owner);
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) {
      const half = await firstStep();
      for (let i = 0; i < 4; i++)
        statuses.push((await post(half, 'second-factor', { code: '000000' })).status);
    }
    expect(statuses).toEqual([...new Array(10).fill(401), 429, 429]);
    expect((await post(await firstStep(), 'second-factor', { code: recoveryCodes[0] })).status).toBe(200);
  });

  it('does not take a password link as a way around it', async () => {
    await enrol(owner);
    const [user] = await world.deps.store.people.listMembers(world.deps.firstWorkspaceId);
    const made = await world.call(`/api/users/${user?.id}/reset-password`, {
      method: 'POST',
      local: true,
      body: {},
    });
    const body = { code: String(made.json.path).split('=')[1], password: 'seven quiet otters paddle' };
    const entered = await world.call('/api/entry/accept', { body });
    expect([entered.status, entered.json.stage]).toEqual([201, 'second_factor']);
  });
});

describe('setting a second factor up (CF-13)', () => {
  it('asks for the password, seals the secret, and ends the other sessions', async () => {
    const other = await world.signIn();
    expect((await post(owner, 'second-factor/offer', { password: 'wrong' })).status).toBe(401);
    const { secret } = await enrol(owner);
    expect((await me(other)).status).toBe(401);
    const [user] = await world.deps.store.people.listMembers(world.deps.firstWorkspaceId);
    const row = await world.deps.store.people.findTotp(user?.id ?? '');
    const plain = bytesOf(secret);
    for (const form of [secret, plain.toString('base64'), plain.toString('hex')]) {
      expect(JSON.stringify(row)).not.toContain(form);
      expect(world.logs.join()).not.toContain(form);
    }
    expect((await post(owner, 'second-factor/offer', { password: OWNER.password })).status).toBe(409);
  });

  it('is not in force before a code of it was seen', async () => {
    const offer = await post(owner, 'second-factor/offer', { password: OWNER.password });
    expect(offer.json.uri).toBe(
      `otpauth://totp/Tallygate:maria?secret=${offer.json.secret}&issuer=Tallygate`,
    );
    expect((await post(owner, 'second-factor/confirm', { code: '000000' })).status).toBe(401);
    expect((await firstStep()).stage).toBe('full');
  });

  it('can be removed with the password, or by somebody who manages users', async () => {
    await enrol(owner);
    expect((await post(owner, 'second-factor/remove', { password: 'wrong' })).status).toBe(401);
    expect((await post(owner, 'second-factor/remove', { password: OWNER.password })).status).toBe(200);
    expect((await firstStep()).stage).toBe('full');
    const dev = await world.join('developer', 'dev');
    await enrol(dev);
    const id = (await world.deps.store.identity.findUserByName('dev'))?.id;
    const removed = await world.call(`/api/users/${id}/second-factor`, {
      method: 'DELETE',
      local: true,
      body: {},
    });
    expect(removed.json.secondFactor).toBe(false);
    expect((await me(dev)).status).toBe(401);
    expect((await firstStep('dev')).stage).toBe('full');
  });
});

describe('a role that needs a second factor (CF-13)', () => {
  const require = (roles: string[]) =>
    world.call('/api/security/second-factor', { method: 'PATCH', local: true, body: { roles } });

  it('leads whoever has none to set one up, and lets them do nothing else', async () => {
    const dev = await world.join('developer', 'dev');
    expect((await require(['developer'])).status).toBe(200);
    for (const path of ['/api/usage/totals', '/api/auth/sessions', '/api/openapi.json']) {
      const answer = await world.call(path, { headers: dev.headers });
      expect([answer.status, answer.json.error?.code]).toEqual([403, 'second_factor_missing']);
    }
    expect((await me(dev)).json).toMatchObject({ stage: 'enrol', permissions: [] });
    expect((await me(owner)).json.stage).toBe('full');
    await enrol(dev);
    expect((await me(dev)).json.stage).toBe('full');
    expect((await world.call('/api/requests', { headers: dev.headers })).status).toBe(200);
    expect((await post(dev, 'second-factor/remove', { password: OWNER.password })).status).toBe(409);
    await require([]);
    expect((await post(dev, 'second-factor/remove', { password: OWNER.password })).status).toBe(200);
  });

  it('refuses the name of a role that does not exist', async () => {
    expect((await require(['developper'])).status).toBe(400);
  });
});
