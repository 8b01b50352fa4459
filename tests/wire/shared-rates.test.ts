import { eventually } from '@tallygate/testkit/eventually';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const target = redisTarget();
// A database that one process has for itself refuses REDIS_URL.
const postgres = await postgresTarget();
const skipped = target.skipped ?? postgres.skipped;

describe.skipIf(skipped !== null)('two processes and one Redis (TW-19)', () => {
  let redis: PrivateRedis;
  const worlds: WireWorld[] = [];
  beforeAll(async () => {
    redis = await target.start();
    const config = { REDIS_URL: redis.url, RATE_LIMIT_MAX_REQUESTS: '4', RATE_LIMIT_WINDOW_MS: '3600000' };
    for (let i = 0; i < 2; i += 1) {
      const DB_URL = await postgres.fresh();
      worlds.push(await startWireWorld({ config: { ...config, DB_URL } }));
    }
  });
  afterAll(async () => {
    for (const world of worlds) await world.stop();
    await redis?.stop();
    await postgres.cleanUp();
  });

  it('count an address together, whichever it asks; without Redis each counts for itself and says so', async () => {
    const warned = async (world: WireWorld | undefined) => {
      const system = await world?.gate.admin<{ warnings: { code: string }[] }>('GET', '/api/system');
      return system?.warnings.some(({ code }) => code === 'shared_rates_unavailable') ?? true;
    };
    for (const world of worlds)
      await eventually('Redis is asked', async () => ((await warned(world)) ? null : true));
    const send = async (i: number) => (await worlds[i % 2]?.messages(MESSAGES_BODY).answer)?.status;
    const statuses: (number | undefined)[] = [];
    const refused = (): boolean => statuses.filter((status) => status === 429).length >= 2;
    while (statuses.length < 16 && !refused()) statuses.push(await send(statuses.length));
    const served = statuses.filter((status) => status === 200).length;
    // Four; a busy machine may make a decision too late for Redis. Counted apart they would be eight.
    expect(served).toBeGreaterThanOrEqual(4);
    expect(served).toBeLessThan(8);
    await redis.kill();
    for (const world of worlds)
      await eventually('it counts alone', async () => ((await warned(world)) ? true : null));
    expect([await send(0), await send(1)]).toEqual([200, 200]);
    await redis.restart();
    for (const world of worlds)
      await eventually('Redis is asked', async () => ((await warned(world)) ? null : true));
  });
});
