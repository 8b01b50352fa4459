import { type IdentityWorld, ORIGIN, startIdentityWorld } from '@tallygate/testkit/identity-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { settleSessionSecret } from './session-secret.ts';

let world: IdentityWorld;
beforeEach(async () => {
  world = await startIdentityWorld();
  for (const name of ['ada', 'ben']) {
    const user = await world.addUser(name);
    await world.sessions.start(user, ORIGIN, { secondFactor: 'settled', method: 'password' });
  }
});
afterEach(() => world.close());

const settle = (text: string | null): Promise<boolean> =>
  settleSessionSecret(world.store, text === null ? null : new Secret(text));
const count = async (): Promise<number> => (await world.store.people.listSessions(null)).length;

describe('DASHBOARD_SESSION_SECRET between two starts (TW-02)', () => {
  it('ends everybody’s sessions when it is another one', async () => {
    expect([await settle('one'), await count()]).toEqual([true, 0]);
  });

  it('ends none when there never was one', async () => {
    expect([await settle(null), await count()]).toEqual([false, 2]);
  });

  it('is not stored, neither as it is nor as a plain hash that could be tried against a list', async () => {
    await settle('correct horse battery staple');
    const stored = await world.store.config.getSetting('session_secret_check');
    expect(stored).toMatch(/^[0-9a-f]{64}$/);
    const { sha256Hex } = await import('./token.ts');
    expect(stored).not.toBe(sha256Hex('correct horse battery staple'));
  });

  it('that is taken away ends them as well, and the one before does not bring them back', async () => {
    await settle('one');
    await world.sessions.start(await world.addUser('cora'), ORIGIN, {
      secondFactor: 'settled',
      method: 'password',
    });
    expect([await settle(null), await count()]).toEqual([true, 0]);
    expect([await settle('one'), await settle('one'), await count()]).toEqual([true, false, 0]);
  });

  it('cannot be passed off as none: a secret called none is a secret', async () => {
    expect(await settle('none')).toBe(true);
    expect(await settle(null)).toBe(true);
  });

  it('ends the sessions before it is noted: a start that is cut off in between ends them again', async () => {
    const failing = { ...world.store, config: { ...world.store.config } };
    failing.config.setSetting = () => Promise.reject(new Error('killed'));
    failing.config.getSetting = (name) => world.store.config.getSetting(name);
    await expect(settleSessionSecret(failing, new Secret('one'))).rejects.toThrow('killed');
    expect(await count()).toBe(0);
    expect(await settle('one')).toBe(true);
  });
});
