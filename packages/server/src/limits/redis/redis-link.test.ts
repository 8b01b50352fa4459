import { startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import { redisTarget } from '@tallygate/testkit/private-redis';
import { redisBench } from '@tallygate/testkit/redis-bench';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
      ...{ url: `redis://127.0.0.1:${proxy.port}`, deadlineMs: 100, patienceMs: 500 },
      onChange: () => undefined,
    });
    const beat = () => link.beat(PING, [], []).catch((error: unknown) => error);
    try {
      link.connect();
      await eventually('it is connected', async () => (await beat()) === 'here');
      proxy.forget();
      for (let i = 0; i < 2; i++) expect(await beat()).toBeInstanceOf(RedisUnavailable);
      // An end in good form is waited for two seconds by the client.
      await eventually('it answers again', async () => (await beat()) === 'here', 1_500);
      expect(link.up).toBe(true);
    } finally {
      link.close();
      await proxy.stop();
      await redis.stop();
    }
  });
});

const shared = redisBench();
const FAILS = script("return redis.error_reply('ERR it did not work')");
const COUNT = script("return redis.call('INCR', KEYS[1])");

describe.skipIf(shared.skipped)('the circuit breaker of the connection (X-02, X-08)', () => {
  let link: RedisLink;
  let changes: boolean[];
  beforeEach(async () => {
    const seen: boolean[] = [];
    changes = seen;
    link = new RedisLink({
      ...{ url: shared.server().url, deadlineMs: 5_000, patienceMs: 10_000 },
      onChange: (up) => void seen.push(up),
    });
    await expect(link.decide(PING, [], [])).rejects.toThrow('the breaker is open'); // not before a heartbeat
    link.connect();
    const beats = () => link.beat(PING, [], []).catch(() => null);
    await eventually('it is connected', beats);
  });
  afterEach(() => link.close());

  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++)
      await expect(link.decide(FAILS, [], [])).rejects.toThrow(RedisUnavailable);
  };

  it('opens after three failures in a row, and not for three with an answer between them', async () => {
    await fail(2);
    expect(await link.decide(PING, [], [])).toBe('here');
    await fail(2);
    expect([link.up, changes]).toEqual([true, [true]]);
    await fail(1);
    expect([link.up, changes]).toEqual([false, [true, false]]);
  });

  it('asks nothing while it is open but what can wait, and closes with the next heartbeat', async () => {
    await fail(3);
    const { errors } = link.counts;
    await expect(link.decide(COUNT, ['decided'], [])).rejects.toThrow('the breaker is open');
    expect(await shared.command('EXISTS', 'decided')).toBe(0);
    expect(await link.run(COUNT, ['carried on'], [])).toBe(1);
    expect([link.up, link.counts.errors]).toEqual([false, errors]);
    await link.beat(PING, [], []);
    // It begins to count anew.
    await fail(2);
    expect([link.up, await link.decide(COUNT, ['decided'], [])]).toEqual([true, 1]);
  });

  it('is opened at once by a heartbeat without an answer; what else fails does not open it', async () => {
    for (let i = 0; i < 5; i++) {
      await expect(link.run(FAILS, [], [])).rejects.toThrow(RedisUnavailable);
      await expect(link.command('NO-SUCH-COMMAND')).rejects.toThrow(RedisUnavailable);
    }
    expect(link.up).toBe(true);
    expect(link.counts.errors).toBeGreaterThanOrEqual(10);
    await expect(link.beat(FAILS, [], [])).rejects.toThrow(RedisUnavailable);
    expect([link.up, changes]).toEqual([false, [true, false]]);
  });

  it('a Redis that forgot its scripts is told them again, and does once what it was asked', async () => {
    expect(await link.decide(COUNT, ['once'], [])).toBe(1);
    await shared.command('SCRIPT', 'FLUSH');
    expect(await link.decide(COUNT, ['once'], [])).toBe(2);
    expect(await link.decide(COUNT, ['once'], [])).toBe(3);
  });

  it('says why it failed, and tells what came late from what went wrong', async () => {
    const failure = await link.run(FAILS, [], []).catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { message: 'ERR it did not work' } });
    const { errors } = link.counts;
    const hasty = new RedisLink({
      ...{ url: shared.server().url, deadlineMs: 200, patienceMs: 200 },
      onChange: () => undefined,
    });
    hasty.connect();
    const answers = () => hasty.command('PING').catch(() => null);
    await eventually('it is connected', answers);
    const { timeouts } = hasty.counts;
    shared.server().freeze();
    try {
      await expect(hasty.run(PING, [], [])).rejects.toThrow('no answer within 200 ms');
      expect(hasty.counts.timeouts).toBe(timeouts + 1);
    } finally {
      shared.server().thaw();
      hasty.close();
    }
    expect(link.counts).toEqual({ timeouts: 0, errors });
  });
});
