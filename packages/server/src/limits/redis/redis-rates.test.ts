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
