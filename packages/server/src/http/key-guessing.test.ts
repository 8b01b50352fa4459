import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  await world.setUp();
});
afterEach(() => world.close());

describe('guessing keys of the administrative API (CF-14)', () => {
  it('is as slow as guessing passwords, for one address, and hinders nobody who has a key', async () => {
    const { key } = await world.makeKey(['admin']);
    const sent = async (value: string): Promise<number> =>
      (await world.call('/api/keys', { headers: { 'x-api-key': value } })).status;
    const answers: number[] = [];
    for (let i = 0; i < 64; i++) answers.push(await sent(`tg_guess-${i}`));
    const passed = answers.filter((status) => status === 401).length;
    expect(passed).toBeLessThanOrEqual(60);
    expect(answers.slice(passed)).toEqual(new Array(64 - passed).fill(429));
    expect(await sent(key)).toBe(200);
    world.clock.ms += 1_000;
    expect([await sent('tg_guess'), await sent('tg_guess')]).toEqual([401, 429]);
  });
});
