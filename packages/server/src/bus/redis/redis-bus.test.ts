import { eventually } from '@tallygate/testkit/eventually';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createIdSource } from '../../kernel/ids.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { Topic } from '../change-bus.ts';
import { RedisBus } from './redis-bus.ts';

const target = redisTarget();
const newId = createIdSource(systemClock);

describe.skipIf(target.skipped !== null)('announcements over Redis (X-08)', () => {
  let redis: PrivateRedis;
  const buses: RedisBus[] = [];
  beforeAll(async () => {
    redis = await target.start();
  });
  afterEach(() => {
    for (const bus of buses.splice(0)) bus.stop();
  });
  afterAll(() => redis?.stop());

  function open(namespace = 'a') {
    const heard: Topic[] = [];
    const warnings: string[] = [];
    const bus = new RedisBus({
      url: redis.url,
      namespace,
      newId,
      logger: { ...silentLogger, warn: (message: string) => void warnings.push(message) },
      onMessage: (topic) => void heard.push(topic),
    });
    buses.push(bus);
    bus.start();
    return { bus, heard, warnings };
  }
  /** It listens once it was told that it may have missed something. */
  async function listening(namespace?: string) {
    const one = open(namespace);
    await eventually('it listens', () => one.heard.length === 2);
    one.heard.length = 0;
    return one;
  }

  it('tells every other node of the same installation, and not itself', async () => {
    const [a, b, c] = [await listening(), await listening(), await listening()];
    const stranger = await listening('b');
    a.bus.publish('config');
    await eventually('both hear it', () => b.heard.length === 1 && c.heard.length === 1);
    b.bus.publish('config');
    await eventually('it hears of others', () => a.heard.length === 1);
    expect(stranger.heard).toEqual([]);
    expect(a.heard).toEqual(['config']);
  });

  it('rows come all the time: many at once are told a few times, and the last is not forgotten', async () => {
    const [a, b] = [await listening(), await listening()];
    for (let i = 0; i < 1_000; i++) a.bus.publish('ledger');
    await eventually('at once, and once more for those after the first', () => b.heard.length === 2);
    a.bus.publish('config'); // what was sent before it has arrived when it has
    await eventually('all have arrived', () => b.heard.includes('config'));
    expect(b.heard.filter((topic) => topic === 'ledger')).toHaveLength(2);
  });

  it('passes over what is no announcement', async () => {
    const { heard } = await listening();
    for (const text of ['', 'config', 'x nonsense', `x ${'config'.repeat(50)}`, 'x config'])
      await redis.command('PUBLISH', 'a:changes', text);
    await eventually('the one that is', () => heard.length > 0);
    expect(heard).toEqual(['config']);
  });

  it('connects again when Redis was gone, and takes that for a message', async () => {
    const [a, b] = [await listening(), await listening()];
    await redis.kill();
    a.bus.publish('config'); // lost, and nobody minds
    await redis.restart();
    await eventually('it looks for what it missed', () => b.heard.length >= 2);
    const before = b.heard.length;
    await eventually('they hear each other', () => {
      a.bus.publish('config');
      return b.heard.length > before;
    });
  });

  it('where Redis forbids the channel it says so once, and does no harm', async () => {
    await redis.command('ACL', 'SETUSER', 'default', 'resetchannels');
    try {
      const { bus, heard, warnings } = open();
      await eventually('it says so', () => warnings.length === 1);
      bus.publish('config');
      bus.publish('ledger');
      expect(heard).toEqual([]);
      expect(warnings[0]).toContain('Redis does not let');
    } finally {
      await redis.command('ACL', 'SETUSER', 'default', 'allchannels');
    }
  });
});
