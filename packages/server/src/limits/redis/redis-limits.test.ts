import { randomUUID } from 'node:crypto';
import { eventually } from '@tallygate/testkit/eventually';
import { limitConformance } from '@tallygate/testkit/limit-conformance';
import type { LimitBench, TestClock, TestLedger } from '@tallygate/testkit/limit-play';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createLogger } from '../../kernel/logger.ts';
import type { Budget } from '../budget.ts';
import { RedisBooks } from './redis-books.ts';
import { RedisLimits } from './redis-limits.ts';

const target = redisTarget();
let redis: PrivateRedis;
beforeAll(async () => {
  if (target.skipped === null) redis = await target.start();
});
afterAll(() => redis?.stop());

const logger = createLogger('silent', null);
const TIMING = { beatMs: 15, leaseMs: 5_000, chargeAfterMs: 60_000, gatherMs: 60, gatherMaxMs: 5_000 };

interface Node {
  books: RedisBooks;
  limits: RedisLimits;
}

/** Starts a process of a node; the machine may be busy, so the deadline is long. */
async function startNode(
  place: { namespace: string; node: string; leftBehind?: boolean },
  budgets: readonly Budget[],
  { ledger, clock }: { ledger: TestLedger; clock: TestClock },
): Promise<Node> {
  const books = new RedisBooks({
    url: redis.url,
    namespace: place.namespace,
    node: place.node,
    newId: () => randomUUID(),
    logger,
    ledger: ledger.asked(),
    unheldMark: { set: () => undefined, clear: () => undefined },
    leftBehind: place.leftBehind ?? false,
    unheldBefore: false,
    deadlineMs: 5_000,
    patienceMs: 10_000,
    timing: TIMING,
    onReachable: () => undefined,
  });
  const limits = new RedisLimits(books, { ...systemClock, now: () => clock.nowMs });
  for (const budget of budgets)
    limits.add(budget, { nowMs: clock.nowMs, countsFromMs: Number.NEGATIVE_INFINITY });
  await books.start(20_000);
  return { books, limits };
}

const shared: LimitBench = {
  name: 'three processes on one Redis (X-02, X-08)',
  skipped: target.skipped,
  modelRuns: 25,
  async open(budgets, ledger, clock) {
    const namespace = randomUUID();
    const start = (index: number, leftBehind = false) =>
      startNode({ namespace, node: `node-${index}`, leftBehind }, budgets, { ledger, clock });
    const nodes = await Promise.all([0, 1, 2].map((index) => start(index)));
    const states = nodes.map(({ limits }) => limits);
    return {
      states,
      async restart(index) {
        await nodes[index]?.books.abandon();
        const node = await start(index, true);
        nodes[index] = node;
        states[index] = node.limits;
      },
      async settled() {
        for (const { books } of nodes) await books.drained(10_000);
      },
      async lose() {
        const before = nodes.map(({ books }) => books.current?.generation);
        await redis.command('FLUSHALL');
        await eventually('the books are made anew', () =>
          nodes.every(({ books }, i) => books.current !== null && books.current.generation !== before[i]),
        );
      },
      async close() {
        for (const { books } of nodes) await books.abandon();
      },
    };
  },
};

limitConformance(shared);
