import { startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import { redisTarget } from '@tallygate/testkit/private-redis';
import { describe, expect, it } from 'vitest';
import { RedisLink, RedisUnavailable } from './redis-link.ts';
import { script } from './script.ts';

const target = redisTarget();
const PING = script("return 'here'");

describe.skipIf(target.skipped !== null)('the connection to Redis (X-08)', { timeout: 60_000 }, () => {
  it('frozen for long: it is given up once, nothing piles up on it, and a new one takes over after the thaw', async () => {
    const redis = await target.start();
    const changes: boolean[] = [];
    const onChange = (up: boolean): void => void changes.push(up);
    const link = new RedisLink({ url: redis.url, deadlineMs: 10, patienceMs: 500, onChange });
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    const beat = () => link.beat(PING, [], []).catch((error: unknown) => error);
    try {
      link.connect();
      await eventually('it is connected', async () => (await beat()) === 'here');
      redis.freeze();
      for (let i = 0; i < 60; i++) expect(await beat()).toBeInstanceOf(RedisUnavailable);
      redis.thaw();
      await eventually('it answers again', async () => (await beat()) === 'here');
      expect([link.up, changes]).toEqual([true, [true, false, true]]);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', warned);
      link.close();
      redis.thaw();
      await redis.stop();
    }
  });

  it('a connection that is dead without a word: a new one is made, nobody waits for it to agree to its end', async () => {
    const redis = await target.start();
    const proxy = await startCuttableProxy(redis.port);
    const link = new RedisLink({
      ...{ url: `redis://127.0.0.1:${proxy.port}`, deadlineMs: 10, patienceMs: 500 },
      onChange: () => undefined,
    });
    const beat = () => link.beat(PING, [], []).catch((error: unknown) => error);
    try {
      link.connect();
      await eventually('it is connected', async () => (await beat()) === 'here');
      proxy.forget();
      expect(await beat()).toBeInstanceOf(RedisUnavailable);
      await eventually('it answers again', async () => (await beat()) === 'here', 10_000);
      expect(link.up).toBe(true);
    } finally {
      link.close();
      await proxy.stop();
      await redis.stop();
    }
  });
});
