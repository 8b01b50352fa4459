import type { BudgetView } from '@tallygate/contract/api/budgets';
import type { LimitView } from '@tallygate/contract/api/limits';
import { ADMIT_ALL } from '@tallygate/server/limits/redis/decision-scripts';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 1,
};
const target = redisTarget();
// A database that one process has for itself refuses REDIS_URL.
const postgres = await postgresTarget();
const skipped = target.skipped ?? postgres.skipped;

describe.skipIf(skipped !== null)('limits and budgets in Redis (X-02, TW-19)', () => {
  let redis: PrivateRedis;
  let world: WireWorld;
  beforeAll(async () => {
    redis = await target.start();
    const DB_URL = await postgres.fresh();
    // The machine may be busy with other tests.
    const config = { REDIS_URL: redis.url, TALLYGATE_REDIS_DEADLINE_MS: '10000', DB_URL };
    world = await startWireWorld({ config });
    world.anthropic.respond(anthropicApi({ usage: USAGE }));
    await eventually('Redis is asked', async () => {
      const { warnings } = await world.gate.admin<{ warnings: { code: string }[] }>('GET', '/api/system');
      return warnings.every(({ code }) => !code.startsWith('shared_'));
    });
  });
  afterAll(async () => {
    await world?.stop();
    await redis?.stop();
    await postgres.cleanUp();
  });

  const limit = (body: Record<string, unknown>) =>
    world.gate.admin<LimitView>('POST', '/api/limits', { scope: 'workspace', per: 'all', ...body });
  const budget = (body: Record<string, unknown>) =>
    world.gate.admin<BudgetView>('POST', '/api/budgets', { scope: 'workspace', window: 'total', ...body });
  const remove = (path: string, id: string) => world.gate.admin('DELETE', `/api/${path}/${id}`);
  const counted = async (id: string) => {
    const { limits } = await world.gate.admin<{ limits: LimitView[] }>('GET', '/api/limits');
    return limits.find((one) => one.id === id)?.status.fullest[0]?.used ?? 0;
  };
  const spent = async (id: string) =>
    (await world.gate.admin<BudgetView>('GET', `/api/budgets/${id}`)).status;
  const send = (change: object = {}) => world.messages({ ...MESSAGES_BODY, ...change }).answer;
  /** A new budget of several nodes counts from a moment when all of them know it. */
  const untilItCounts = (id: string) =>
    eventually('the budget counts', async () => {
      await send();
      return Number((await spent(id)).spent) > 0;
    });

  it('a request counts in both; what one refuses the other does not count', async () => {
    const requests = await limit({ measure: 'requests', limit: 1_000, window: 'hour' });
    const made = await budget({ limitRequests: 1_000 });
    await untilItCounts(made.id);
    await eventually('nothing is held', async () => Number((await spent(made.id)).held) === 0);
    const [before, had] = [await counted(requests.id), Number((await spent(made.id)).spent)];
    const answer = await send();
    expect([answer.status, answer.value('ratelimit')]).toEqual([200, expect.stringContaining('r=')]);
    await eventually('it is counted', async () => Number((await spent(made.id)).spent) === had + 1);
    expect(await counted(requests.id)).toBe(before + 1);
    // Asked one after the other they would have the same say, in two trips.
    expect(await redis.command('SCRIPT', 'EXISTS', ADMIT_ALL.sha1)).toContain(':1');

    await world.gate.admin('PATCH', `/api/budgets/${made.id}`, { limitRequests: had + 1 });
    const full = await send();
    expect([full.status, full.value('x-tallygate-error')]).toEqual([429, 'budget_exhausted']);
    expect(await counted(requests.id)).toBe(before + 1);

    await world.gate.admin('PATCH', `/api/budgets/${made.id}`, { limitRequests: 1_000 });
    const none = await limit({ measure: 'requests', limit: 0, window: 'hour' });
    const refused = await eventually('the limit is in force', async () => {
      const next = await send();
      return next.status === 429 ? next : null;
    });
    expect(refused.value('x-tallygate-error')).toBe('rate_limited');
    const { spent: now, held } = await spent(made.id);
    expect(held).toBe(0);
    await remove('limits', none.id);
    await remove('limits', requests.id);
    await remove('budgets', made.id);
    expect(Number(now)).toBeGreaterThanOrEqual(had + 1);
  });

  it('near the cap the provider counts here, too, and the request is decided about anew in one step', async () => {
    const slots = await limit({ measure: 'concurrent_requests', limit: 5 });
    const made = await budget({ limitUsd: '0.06' });
    await untilItCounts(made.id);
    await eventually('nothing is held', async () => Number((await spent(made.id)).held) === 0);
    const api = anthropicApi({ usage: USAGE });
    world.anthropic.clear();
    world.anthropic.respond((exchange) =>
      exchange.request.path.includes('count_tokens')
        ? jsonAnswer({ input_tokens: 9_000 })(exchange)
        : api(exchange),
    );
    const content = 'lorem ipsum '.repeat(3_334);
    const answer = await send({ messages: [{ role: 'user', content }] });
    expect(answer.status).toBe(200);
    expect(world.anthropic.requests.map(({ path }) => path)).toEqual([
      '/v1/messages/count_tokens',
      '/v1/messages',
    ]);
    await eventually('the slot is free', async () => (await counted(slots.id)) === 0);
    await remove('limits', slots.id);
    await remove('budgets', made.id);
  });
});
