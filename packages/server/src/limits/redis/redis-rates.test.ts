import { randomUUID } from 'node:crypto';
import { eventually } from '@tallygate/testkit/eventually';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { type RateBench, rateConformance, rateLimit } from '@tallygate/testkit/rate-conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../kernel/logger.ts';
import { RateEngine } from '../rate-engine.ts';
import type { RateAsk, RateLimit } from '../rate-limit.ts';
import { RedisRates } from './redis-rates.ts';

const target = redisTarget();
let redis: PrivateRedis;
beforeAll(async () => {
  if (target.skipped === null) redis = await target.start();
});
afterAll(() => redis?.stop());

/** The machine may be busy, so the deadline is long. */
async function startRates(
  namespace: string,
  limits: readonly RateLimit[],
  times: { deadlineMs?: number; beatMs?: number; leaseMs?: number } = {},
): Promise<RedisRates> {
  const rates = new RedisRates({
    url: redis.url,
    namespace,
    newId: () => randomUUID(),
    logger: createLogger('silent', null),
    ...{ deadlineMs: 5_000, patienceMs: 10_000, beatMs: 20, leaseMs: 30_000 },
    ...times,
  });
  rates.replaceAll(limits);
  await rates.start();
  await eventually('Redis is asked', () => (rates.shared ? true : null));
  return rates;
}

const shared: RateBench = {
  name: 'limits that two processes share through Redis (TW-19)',
  skipped: target.skipped !== null,
  async start(limits) {
    const namespace = randomUUID();
    const states = [await startRates(namespace, limits), await startRates(namespace, limits)];
    return {
      states,
      nowMs: () => performance.now(),
      stop: async () => {
        for (const state of states) state.stop();
      },
    };
  },
};

const alone: RateBench = {
  name: 'limits of one process',
  skipped: false,
  async start(limits) {
    const engine = new RateEngine();
    engine.replaceAll(limits);
    return { states: [engine], nowMs: () => performance.now(), stop: async () => undefined };
  },
};

rateConformance(alone);
rateConformance(shared);

const ask: RateAsk = {
  subject: {
    ...{ workspaceId: 'w', keyId: 'k', userId: null, projectId: 'p', sessionId: null, model: null },
    ...{ provider: 'anthropic', accountId: null, tags: [] },
  },
  address: () => null,
  ...{ stream: false, requests: 1, nowMs: 0 },
};
const slots = rateLimit('c', { measure: 'concurrent_requests', windowMs: null, limit: 1 });
const none = () => ({ input: 0, output: 0 });
const tokens = () => ({ input: 60, output: 0 });

describe.skipIf(target.skipped !== null)('when something dies (TW-19, X-08)', () => {
  it('what a process held that died is free again, and its tokens count as what they held', async () => {
    const namespace = randomUUID();
    const limits = [slots, rateLimit('t', { measure: 'tokens', limit: 100 })];
    const dead = await startRates(namespace, limits, { leaseMs: 300 });
    expect(await dead.admit(ask, tokens)).toHaveProperty('lease');
    dead.stop();
    const other = await startRates(namespace, limits, { leaseMs: 300 });
    await eventually('the slot is free', async () => {
      const { total } = await other.standings('c', 0, 1);
      return total === 0 ? true : null;
    });
    expect((await other.standings('t', 0, 1)).fullest[0]).toMatchObject({ used: 60, held: 0 });
    other.stop();
  });

  it('what runs longer than a lease keeps its slot', async () => {
    const namespace = randomUUID();
    const rates = await startRates(namespace, [slots], { leaseMs: 3_000 });
    const decision = await rates.admit(ask, none);
    const until = performance.now() + 6_500;
    await eventually('two leases later', async () => {
      expect(await rates.admit(ask, none)).toHaveProperty('refusal');
      return performance.now() > until ? true : null;
    });
    if (decision !== null && 'lease' in decision) decision.lease.end(0);
    await eventually('it is free', async () =>
      (await rates.standings('c', 0, 1)).total === 0 ? true : null,
    );
    rates.stop();
  });

  it('a Redis that does not answer lets each process count for itself, and is asked again when it does', async () => {
    const namespace = randomUUID();
    const rates = await startRates(namespace, [rateLimit('l', { limit: 2 })], { deadlineMs: 250 });
    redis.freeze();
    try {
      await eventually('it counts alone', async () => {
        const decision = await rates.admit(ask, none);
        return decision !== null && 'refusal' in decision ? true : null;
      });
    } finally {
      redis.thaw();
    }
    await eventually('Redis is asked again', () => (rates.shared ? true : null));
    rates.stop();
  });
});

describe.skipIf(target.skipped !== null)(
  'limits that nodes share, beside what every place does (CW-04, X-08)',
  () => {
    const admitted = async (rates: RedisRates, of: RateAsk, bound = none) => {
      const decision = await rates.admit(of, bound);
      if (decision === null || !('lease' in decision)) throw new Error('not admitted');
      return decision.lease;
    };
    const bySession = (sessionId: string): RateAsk => ({ ...ask, subject: { ...ask.subject, sessionId } });
    const byAccount = (accountId: string): RateAsk => ({ ...ask, subject: { ...ask.subject, accountId } });

    it('long names that begin alike have counts of their own, and each is shown', async () => {
      const rates = await startRates(randomUUID(), [rateLimit('s', { per: 'session', limit: 2 })]);
      const [one, two] = ['1', '2'].map((end) => bySession(`${'x'.repeat(300)}${end}`));
      if (one === undefined || two === undefined) throw new Error('no names');
      await admitted(rates, one);
      await admitted(rates, one);
      await admitted(rates, two);
      expect(await rates.admit(one, none)).toHaveProperty('refusal');
      const { total, fullest } = await rates.standings('s', 0, 9);
      expect([total, fullest.map(({ used }) => used)]).toEqual([2, [2, 1]]);
      for (const { partition } of fullest) expect(partition).toMatch(/^x{84}~.{43}$/);
      rates.stop();
    });

    it('the fullest counts are shown first, as many as were asked for, of how many there are', async () => {
      const rates = await startRates(randomUUID(), [rateLimit('s', { per: 'session', limit: 9 })]);
      for (const session of ['a', 'b', 'b', 'b', 'c', 'c']) await admitted(rates, bySession(session));
      const { total, fullest } = await rates.standings('s', 0, 2);
      expect([total, fullest.map(({ partition, used }) => [partition, used])]).toEqual([
        3,
        [
          ['b', 3],
          ['c', 2],
        ],
      ]);
      expect(await rates.standings('unknown', 0, 2)).toEqual({ total: 0, fullest: [] });
      rates.stop();
    });

    it('another limit over the same counts goes on with them, another window begins anew', async () => {
      const namespace = randomUUID();
      const rates = await startRates(namespace, [rateLimit('l', { limit: 3 })]);
      for (let i = 0; i < 3; i++) await admitted(rates, ask);
      rates.replaceAll([rateLimit('l', { limit: 4 })]);
      await admitted(rates, ask);
      expect(await rates.admit(ask, none)).toHaveProperty('refusal');
      rates.replaceAll([rateLimit('l', { limit: 4, windowMs: 7_200_000 })]);
      await admitted(rates, ask);
      rates.replaceAll([]);
      expect([rates.active, await rates.admit(ask, none)]).toEqual([false, null]);
      rates.stop();
    });

    it('a request that ends while it moves leaves nothing where it goes', async () => {
      const limits = [rateLimit('c', { measure: 'concurrent_requests', windowMs: null, per: 'account' })];
      const rates = await startRates(randomUUID(), limits, { leaseMs: 300_000 });
      const lease = await admitted(rates, byAccount('a'));
      const moving = rates.move(lease, byAccount('b'), none);
      lease.end(0);
      await moving;
      await eventually('nothing is held', async () =>
        (await rates.standings('c', 0, 9)).total === 0 ? true : null,
      );
      rates.stop();
    });

    it('more tokens than the limit are asked for as the whole of it, and the bound is reckoned once', async () => {
      const rates = await startRates(randomUUID(), [
        rateLimit('t', { measure: 'tokens', limit: 100 }),
        rateLimit('i', { measure: 'input_tokens', limit: 1_000 }),
      ]);
      let reckoned = 0;
      const large = () => {
        reckoned += 1;
        return { input: 400, output: 500 };
      };
      await admitted(rates, ask, large);
      expect(reckoned).toBe(1);
      expect((await rates.standings('t', 0, 1)).fullest[0]).toMatchObject({ used: 100, held: 100, left: 0 });
      expect((await rates.standings('i', 0, 1)).fullest[0]).toMatchObject({
        used: 400,
        held: 400,
        left: 600,
      });
      rates.stop();
    });

    it('streams count where streams are counted, and nothing else does', async () => {
      const streams = rateLimit('c', { measure: 'concurrent_streams', windowMs: null, limit: 1 });
      const rates = await startRates(randomUUID(), [streams]);
      expect(await rates.admit(ask, none)).toBeNull();
      await admitted(rates, { ...ask, stream: true });
      expect(await rates.admit({ ...ask, stream: true }, none)).toHaveProperty('refusal');
      expect(await rates.admit(ask, none)).toBeNull();
      rates.stop();
    });

    it('a batch counts as its events', async () => {
      const rates = await startRates(randomUUID(), [rateLimit('l', { limit: 10 })]);
      await admitted(rates, { ...ask, requests: 7 });
      const decision = await rates.admit({ ...ask, requests: 4 }, none);
      expect(decision !== null && 'refusal' in decision && decision.refusal.needed).toBe(4);
      await admitted(rates, { ...ask, requests: 3 });
      rates.stop();
    });
  },
);
