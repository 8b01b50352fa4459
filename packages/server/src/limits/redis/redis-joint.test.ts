import { randomUUID } from 'node:crypto';
import { eventually } from '@tallygate/testkit/eventually';
import { spendOfCost, testBudget } from '@tallygate/testkit/limit-play';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { rateLimit } from '@tallygate/testkit/rate-conformance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createLogger } from '../../kernel/logger.ts';
import { used } from '../account-windows.ts';
import type { Budget, UpperBound } from '../budget.ts';
import type { JointDecision } from '../joint-admission.ts';
import type { RateLimit } from '../rate-limit.ts';
import type { RequestSubject } from '../scope.ts';
import { RedisBooks } from './redis-books.ts';
import { RedisJoint } from './redis-joint.ts';
import { RedisLimits } from './redis-limits.ts';
import { RedisRates } from './redis-rates.ts';

const target = redisTarget();
const logger = createLogger('silent', null);
const subject: RequestSubject = {
  ...{ workspaceId: 'ws', keyId: 'k', userId: null, projectId: 'p1', sessionId: null },
  ...{ model: 'm', provider: 'p', accountId: 'a', tags: [] },
};
/** Costs `fixed` and 1 for each token of output. */
const costs = (fixed: number, output = 0): UpperBound => ({
  outputTokens: output,
  minOutputTokens: output > 0 ? 1 : null,
  costNanoUsd: (tokens) => fixed + tokens,
  tokens: (tokens) => fixed + tokens,
  weightedTokens: (tokens) => fixed + tokens,
});

interface Node {
  books: RedisBooks;
  limits: RedisLimits;
  rates: RedisRates;
  joint: RedisJoint;
}

let redis: PrivateRedis;
let node: Node;
/** What the ledger says was spent before the books. */
let before = 0;
beforeEach(async () => {
  if (target.skipped === null) redis = await target.start();
  before = 0;
});
afterEach(async () => {
  node.rates.stop();
  await node.books.abandon();
  await redis?.stop();
});

async function start(
  budgets: readonly Budget[],
  limits: readonly RateLimit[],
  deadlineMs = 5_000,
): Promise<void> {
  const namespace = randomUUID();
  const books = new RedisBooks({
    ...{ url: redis.url, namespace, node: 'one', newId: () => randomUUID(), logger, deadlineMs },
    ledger: {
      requests: async () => [],
      atOneMoment: (work) => work({ spentIn: async () => before, requests: async () => [] }),
      upToNow: () => async () => true,
    },
    unheldMark: { set: () => undefined, clear: () => undefined },
    ...{ leftBehind: false, unheldBefore: false, patienceMs: 10_000 },
    timing: { beatMs: 20, leaseMs: 5_000, chargeAfterMs: 60_000, gatherMs: 60, gatherMaxMs: 2_000 },
    onReachable: () => undefined,
  });
  const shared = new RedisLimits(books, systemClock);
  for (const budget of budgets)
    shared.add(budget, { nowMs: Date.now(), countsFromMs: Number.NEGATIVE_INFINITY });
  await books.start(20_000);
  const times = { deadlineMs, patienceMs: 10_000, beatMs: 20, leaseMs: 30_000 };
  const rates = new RedisRates({ url: redis.url, namespace, newId: () => randomUUID(), logger, ...times });
  rates.replaceAll(limits);
  await rates.start();
  await eventually('limits are counted together', () => rates.shared);
  node = { books, limits: shared, rates, joint: new RedisJoint(rates, shared) };
}

const rateAsk = () => ({
  ...{ subject, address: () => null, stream: false, requests: 1 },
  nowMs: performance.now(),
});
let ids = 0;
async function admit(bound: UpperBound, tokens = 0): Promise<JointDecision> {
  const decision = node.joint.admit(
    { ask: rateAsk(), bound: () => ({ input: tokens, output: 0 }) },
    { ask: { id: `r${ids++}`, startedAtMs: Date.now(), scopes: subject }, bound: () => bound },
  );
  if (decision === null) throw new Error('not asked');
  return decision;
}

/** What limits and budgets have counted: requests, tokens, and what is spent and held. */
async function counts(): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const id of ['requests', 'tokens'])
    found[id] = (await node.rates.standings(id, 0, 10)).fullest.map((one) => one.used);
  await node.limits.refresh(Date.now());
  const window = node.limits.status('b', Date.now())?.window;
  found.b = window === undefined ? [] : [used(window), window.held];
  return found;
}

/** How many decisions Redis has made, by whatever script. */
async function decisions(): Promise<number> {
  const stats = await redis.command('INFO', 'commandstats');
  const calls = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  return calls('evalsha') + calls('eval');
}

const TOKENS = rateLimit('tokens', { workspaceId: null, measure: 'tokens', limit: 100 });
const REQUESTS = rateLimit('requests', { workspaceId: null, limit: 3 });

describe.skipIf(target.skipped !== null)('one decision in Redis (X-02, TW-19)', () => {
  it('counts and reserves everything, and gives all of it back', async () => {
    await start([testBudget('b')], [REQUESTS, TOKENS]);
    const { rates, budgets } = await admit(costs(30), 40);
    expect(await counts()).toEqual({ requests: [1], tokens: [40], b: [0, 30] });
    if (rates === null || !('lease' in rates) || budgets === null || !('hold' in budgets))
      throw new Error('not admitted');
    rates.lease.settle(0, { input: 25, output: 0 });
    rates.lease.end(0);
    budgets.hold.settle(spendOfCost(12));
    await node.books.drained(5_000);
    await eventually('what it came to is counted', async () => {
      const now = await counts();
      return now.tokens?.[0] === 25 && now.b?.[0] === 12 && now.b[1] === 0;
    });
  });

  it('costs one trip, however many limits and budgets cover the request', async () => {
    const narrow = testBudget('n', { scope: [{ kind: 'project', value: 'p1' }] });
    const sliding = testBudget('s', { window: 'day', sliding: true });
    await start([testBudget('b'), narrow, sliding], [REQUESTS, TOKENS]);
    await admit(costs(1), 1); // reads what was spent before into the books
    const trips = async (): Promise<number> => {
      const from = await decisions();
      await admit(costs(1), 1);
      return (await decisions()) - from;
    };
    // Heartbeats go on; when none falls between two looks, there is the decision alone.
    await eventually('exactly one decision is seen', async () => (await trips()) === 1);
  });

  describe('a move to another account', () => {
    const on = (accountId: string) => ({ ...subject, accountId });
    const SLOTS = rateLimit('slots', {
      ...{ workspaceId: null, measure: 'concurrent_requests', windowMs: null, limit: 1, per: 'account' },
    });
    const onB = testBudget('b', { scope: [{ kind: 'account', value: 'b' }] });
    async function admitted(accountId: string, amount: number) {
      const decision = await node.joint.admit(
        { ask: { ...rateAsk(), subject: on(accountId) }, bound: () => ({ input: 0, output: 0 }) },
        {
          ask: { id: `r${ids++}`, startedAtMs: Date.now(), scopes: on(accountId) },
          bound: () => costs(amount),
        },
      );
      if (
        !decision?.rates ||
        !('lease' in decision.rates) ||
        !decision.budgets ||
        !('hold' in decision.budgets)
      )
        throw new Error('not admitted');
      return { lease: decision.rates.lease, hold: decision.budgets.hold };
    }
    const move = ({ lease, hold }: Awaited<ReturnType<typeof admitted>>, amount: number) => {
      const { requestId: id, startedAtMs } = hold;
      return node.joint.move(
        lease,
        { ask: { ...rateAsk(), subject: on('b') }, bound: () => ({ input: 0, output: 0 }) },
        { ask: { id, startedAtMs, scopes: on('b'), replaces: hold }, bound: () => costs(amount) },
      );
    };
    const slots = async () =>
      (await node.rates.standings('slots', 0, 10)).fullest.map(({ partition }) => partition).sort();
    const held = async (id: string) => {
      await node.limits.refresh(Date.now());
      return node.limits.status(id, Date.now())?.window.held;
    };
    const becomes = (wanted: string[]) =>
      eventually(`slots of ${wanted}`, async () => JSON.stringify(await slots()) === JSON.stringify(wanted));

    it('takes slots and holds along, in one trip', async () => {
      await start([testBudget('all'), onB], [SLOTS]);
      await eventually('exactly one decision and the end of the old slot are seen', async () => {
        const call = await admitted('a', 10);
        const from = await decisions();
        const moved = await move(call, 25);
        const trips = (await decisions()) - from;
        expect(moved).toMatchObject({ moved: true, budgets: { hold: {} } });
        expect([await slots(), await held('all'), await held('b')]).toEqual([['b'], 25, 25]);
        if (moved?.budgets && 'hold' in moved.budgets) moved.budgets.hold.release();
        call.lease.end(0);
        await node.books.drained(5_000);
        await becomes([]);
        return trips === 2; // sent together; heartbeats and first readings are more
      });
    });

    it('a limit that refuses leaves everything as it was', async () => {
      await start([testBudget('all'), onB], [SLOTS]);
      const call = await admitted('a', 10);
      await admitted('b', 1);
      expect(await move(call, 25)).toEqual({ moved: false, budgets: null });
      await becomes(['a', 'b']);
      expect([await held('all'), await held('b'), call.hold.open]).toEqual([11, 1, true]);
      call.lease.end(0);
      await becomes(['b']);
    });

    it('a budget that refuses leaves everything as it was', async () => {
      await start([testBudget('all'), onB], [SLOTS]);
      const call = await admitted('a', 10);
      expect(await move(call, 101)).toMatchObject({
        moved: false,
        budgets: { refusal: { reason: 'spent' } },
      });
      await becomes(['a']);
      expect([await held('all'), await held('b'), call.hold.open]).toEqual([10, 0, true]);
    });

    it('asks nobody twice: without a limit of accounts, or without a budget, both are asked one by one', async () => {
      await start([testBudget('all')], [REQUESTS]);
      const call = await admitted('a', 10);
      expect(await move(call, 25)).toBeNull();
      node.rates.replaceAll([SLOTS, REQUESTS]);
      node.limits.remove('all');
      expect(await move(call, 25)).toBeNull();
      expect(call.hold.open).toBe(true); // nobody gave it back
    });
  });

  it('a limit that refuses leaves no trace in the budgets', async () => {
    await start([testBudget('b')], [{ ...REQUESTS, limit: 1 }, TOKENS]);
    await admit(costs(10), 5);
    const refused = await admit(costs(10), 5);
    expect(refused).toMatchObject({ rates: { refusal: { limit: { id: 'requests' } } }, budgets: null });
    expect(await counts()).toEqual({ requests: [1], tokens: [5], b: [0, 10] });
  });

  it('a budget that refuses leaves no trace in the limits', async () => {
    await start([testBudget('b')], [REQUESTS, TOKENS]);
    const refused = await admit(costs(101), 5);
    expect(refused).toMatchObject({ rates: null, budgets: { refusal: { reason: 'spent', needed: 101 } } });
    expect(await counts()).toEqual({ requests: [], tokens: [], b: [0, 0] });
  });

  it('reads what was spent before, clamps, and counts the request once all the same', async () => {
    before = 70;
    await start([testBudget('b', { mode: 'clamp' })], [REQUESTS, TOKENS]);
    const { rates, budgets } = await admit(costs(10, 50), 5);
    expect(rates).toHaveProperty('lease');
    expect(budgets).toMatchObject({ hold: { clampedTo: 20 } });
    expect(await counts()).toEqual({ requests: [1], tokens: [5], b: [70, 30] });
  });

  it('many at once: as many as both allow, and the books agree', async () => {
    await start(
      [testBudget('b', { limit: 500 })],
      [
        { ...REQUESTS, limit: 40 },
        { ...TOKENS, limit: 1_000 },
      ],
    );
    const all = await Promise.all(Array.from({ length: 200 }, () => admit(costs(10), 30)));
    const admitted = all.filter(
      ({ rates, budgets }) => rates !== null && 'lease' in rates && budgets !== null,
    );
    expect(admitted).toHaveLength(33); // of 1,000 tokens; 40 requests and 50 holds would fit
    expect(await counts()).toEqual({ requests: [33], tokens: [990], b: [0, 330] });
  });

  it('asks only those that have something to say', async () => {
    await start([testBudget('b')], [{ ...REQUESTS, workspaceId: 'other' }]);
    expect(await admit(costs(10))).toMatchObject({ rates: null, budgets: { hold: {} } });
    node.limits.remove('b');
    expect(await admit(costs(10))).toEqual({ rates: null, budgets: null });
    node.rates.replaceAll([REQUESTS]);
    expect(await admit(costs(10))).toMatchObject({ rates: { lease: {} }, budgets: null });
  });

  it('a budget without a price for the model refuses, and no limit counts the request', async () => {
    await start([testBudget('b')], [REQUESTS]);
    const refused = await admit({ ...costs(1), costNanoUsd: () => null });
    expect(refused).toMatchObject({ rates: null, budgets: { refusal: { reason: 'unpriced' } } });
    expect((await counts()).requests).toEqual([]);
  });

  it('frozen: each budget does what its policy says, and limits are counted by the process alone', async () => {
    await start([testBudget('b', { onOutage: 'open' })], [{ ...REQUESTS, limit: 1 }], 50);
    redis.freeze();
    const both = await Promise.all([admit(costs(10)), admit(costs(10))]);
    expect(both).toMatchObject([
      { rates: { lease: {} }, budgets: { hold: { counted: false } } },
      { rates: { refusal: { limit: { id: 'requests' } } }, budgets: null },
    ]);
    expect((await node.limits.holds()).length).toBe(1);
    await eventually('they are asked one by one, which answers at once', () => !node.limits.reachable);
    const question = {
      ask: { id: 'later', startedAtMs: Date.now(), scopes: subject },
      bound: () => costs(1),
    };
    expect(node.joint.admit({ ask: rateAsk(), bound: () => ({ input: 0, output: 0 }) }, question)).toBeNull();
    redis.thaw();
  });
});
