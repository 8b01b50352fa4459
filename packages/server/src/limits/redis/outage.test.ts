import { randomUUID } from 'node:crypto';
import { type CuttableProxy, startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import { heldBy, reasonOf, spendOfCost, TestLedger, testBudget } from '@tallygate/testkit/limit-play';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createLogger } from '../../kernel/logger.ts';
import { used } from '../account-windows.ts';
import type { Budget, UpperBound } from '../budget.ts';
import type { Hold } from '../budget-hold.ts';
import { RedisBooks } from './redis-books.ts';
import { RedisLimits } from './redis-limits.ts';

const target = redisTarget();
const logger = createLogger('silent', null);
const NOW = Date.now();
const scopes = {
  ...{ workspaceId: 'ws', keyId: 'k', userId: null, projectId: 'p1', sessionId: null },
  ...{ model: 'm', provider: 'p', accountId: 'a', tags: [] },
};
const costs = (amount: number): UpperBound => ({
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => amount,
  tokens: () => amount,
  weightedTokens: () => amount,
});

interface Node {
  books: RedisBooks;
  limits: RedisLimits;
  /** True while the mark stands that tells the next process of requests that were let through. */
  marked(): boolean;
}

let redis: PrivateRedis;
let proxy: CuttableProxy;
let ledger: TestLedger;
let namespace: string;
let nodes: Node[];

beforeEach(async () => {
  if (target.skipped !== null) return;
  redis = await target.start();
  proxy = await startCuttableProxy(redis.port);
  ledger = new TestLedger();
  namespace = randomUUID();
  nodes = [];
});
afterEach(async () => {
  for (const { books } of nodes ?? []) await books.abandon();
  await proxy?.stop();
  redis?.thaw();
  await redis?.stop();
});

interface Place {
  node?: string;
  port?: number;
  deadlineMs?: number;
  chargeAfterMs?: number;
  leftBehind?: boolean;
  unheldBefore?: boolean;
}

async function start(budgets: readonly Budget[], place: Place = {}): Promise<Node> {
  let mark = false;
  const books = new RedisBooks({
    url: `redis://127.0.0.1:${place.port ?? redis.port}`,
    namespace,
    node: place.node ?? 'one',
    newId: () => randomUUID(),
    logger,
    ledger: ledger.asked(),
    unheldMark: {
      set: () => {
        mark = true;
      },
      clear: () => {
        mark = false;
      },
    },
    leftBehind: place.leftBehind ?? false,
    unheldBefore: place.unheldBefore ?? false,
    deadlineMs: place.deadlineMs ?? 5_000,
    patienceMs: 500,
    timing: {
      beatMs: 20,
      leaseMs: 1_000,
      gatherMs: 80,
      gatherMaxMs: 2_000,
      chargeAfterMs: place.chargeAfterMs ?? 60_000,
    },
    onReachable: () => undefined,
  });
  const limits = new RedisLimits(books, systemClock);
  for (const budget of budgets) limits.add(budget, { nowMs: NOW, countsFromMs: Number.NEGATIVE_INFINITY });
  await books.start(20_000);
  const node = { books, limits, marked: () => mark };
  nodes.push(node);
  return node;
}

let ids = 0;
const ask = async ({ limits }: Node, amount: number) =>
  limits.reserve({ id: `r${ids++}`, startedAtMs: NOW, scopes }, () => costs(amount));

function settle(hold: Hold, cost: number): void {
  const spend = spendOfCost(cost);
  ledger.rows.set(hold.requestId, { id: hold.requestId, startedAtMs: NOW, scopes, spend });
  hold.settle(spend);
}

async function books({ limits }: Node, id: string): Promise<[spent: number, held: number]> {
  await limits.refresh(NOW);
  const status = limits.status(id, NOW);
  return status === null ? [-1, -1] : [used(status.window), status.window.held];
}

const until = (node: Node, id: string, spent: number, held: number) =>
  eventually(
    `${id}: ${spent} spent, ${held} held`,
    async () => {
      if (node.books.current === null) return false;
      const [s, h] = await books(node, id);
      return s === spent && h === held;
    },
    30_000,
  );
const up = (node: Node) => eventually('the books are open', () => node.books.current !== null, 30_000);
const down = (node: Node) => eventually('the breaker is open', () => node.books.current === null, 30_000);

const open = testBudget('open', { onOutage: 'open' });
const closed = testBudget('closed', { scope: [{ kind: 'project', value: 'p1' }], limit: 1_000 });

describe.skipIf(target.skipped !== null)('Redis out of reach (X-02, X-08)', { timeout: 120_000 }, () => {
  it('what was spent before is read anew as what younger books were made with', async () => {
    ledger.rows.set('old', { id: 'old', startedAtMs: NOW, scopes, spend: spendOfCost(70) });
    const node = await start([closed]);
    await until(node, 'closed', 70, 0);
    expect(await node.limits.reread('closed', NOW)).toBe(true);
    expect(await ask(node, 10)).toHaveProperty('hold'); // goes the same way, behind it
    expect(await books(node, 'closed')).toEqual([70, 10]);
  });

  it('frozen: every decision comes in time by the policy, and what was let through is counted when it thaws', async () => {
    const node = await start([open], { deadlineMs: 50 });
    const before = heldBy(await ask(node, 10));
    redis.freeze();
    const unheld = await Promise.all(Array.from({ length: 20 }, () => ask(node, 30)));
    expect(new Set(unheld.map(reasonOf))).toEqual(new Set(['hold']));
    expect(node.limits.unheld).toBe(20);
    expect(node.marked()).toBe(true);
    for (const decision of unheld.slice(0, 18)) settle(heldBy(decision), 3);
    settle(before, 7);
    await down(node);
    expect(node.limits.reserve({ id: 'at-once', startedAtMs: NOW, scopes }, () => costs(1))).toHaveProperty(
      'hold',
    );
    redis.thaw();
    // Reservations that Redis carried out after their deadline are given back; nothing counts twice.
    await until(node, 'open', 18 * 3 + 7, 0);
    for (const decision of unheld.slice(18)) settle(heldBy(decision), 3);
    await until(node, 'open', 20 * 3 + 7, 0);
    expect(reasonOf(await ask(node, 40))).toBe('spent');
  });

  it('frozen: a budget that is closed refuses, also beside one that is open', async () => {
    const node = await start([open, closed], { deadlineMs: 50 });
    heldBy(await ask(node, 10));
    redis.freeze();
    for (let i = 0; i < 5; i++) expect(reasonOf(await ask(node, 1))).toBe('unavailable');
    await down(node);
    redis.thaw();
    await up(node);
    await until(node, 'closed', 0, 10);
    heldBy(await ask(node, 90));
    expect(reasonOf(await ask(node, 1))).toBe('held');
  });

  it('killed and started empty: spent by the ledger, held by who holds it', async () => {
    const one = await start([open]);
    const two = await start([open], { node: 'two' });
    settle(heldBy(await ask(one, 20)), 12);
    const hold = heldBy(await ask(two, 30));
    await redis.kill();
    await down(one);
    await down(two);
    const unheld = heldBy(await ask(one, 500));
    settle(heldBy(await ask(two, 5)), 5);
    await redis.restart();
    await until(one, 'open', 17, 30);
    settle(unheld, 11);
    settle(hold, 1);
    await until(two, 'open', 29, 0);
    await eventually('no mark is left', () => !one.marked() && !two.marked());
  });

  it('answers that get lost: what was told is told again, and counted once', async () => {
    const node = await start([open], { port: proxy.port });
    const holds = [heldBy(await ask(node, 10)), heldBy(await ask(node, 10)), heldBy(await ask(node, 10))];
    proxy.swallowAnswers();
    for (const hold of holds) settle(hold, 4);
    await down(node);
    proxy.heal();
    await until(node, 'open', 12, 0);
    expect(node.books.counts.waitingEndings).toBe(0);
  });

  it('a node that was cut off while the others made new books brings into them what passed it meanwhile', async () => {
    const one = await start([open]);
    const two = await start([open], { node: 'two', port: proxy.port });
    const hold = heldBy(await ask(two, 30));
    proxy.refuse();
    await down(two);
    await redis.command('FLUSHALL');
    await until(one, 'open', 0, 0); // nobody tells of the node that is away: its lease is over
    settle(heldBy(await ask(two, 9)), 9);
    proxy.heal();
    await until(one, 'open', 9, 30);
    settle(hold, 2);
    await until(one, 'open', 11, 0);
  });

  it('a node that is gone for good: what it held is charged, and corrected if it comes back', async () => {
    const one = await start([open]);
    const two = await start([open], { node: 'two', chargeAfterMs: 1_500 });
    nodes = nodes.filter((node) => node !== one);
    const cut = heldBy(await ask(one, 30));
    heldBy(await ask(one, 20)); // never sent: it has no row
    await one.books.abandon();
    await until(two, 'open', 50, 0);
    ledger.rows.set(cut.requestId, {
      id: cut.requestId,
      startedAtMs: NOW,
      scopes,
      spend: spendOfCost(8),
    });
    await start([open], { leftBehind: true });
    await until(two, 'open', 8, 0);
  });

  it('a process that died with requests the books do not know leaves a mark: the next one makes them anew', async () => {
    const one = await start([open]);
    const two = await start([open], { node: 'two' });
    const mine = heldBy(await ask(two, 40));
    ledger.rows.set('unheld', {
      id: 'unheld',
      startedAtMs: NOW,
      scopes,
      spend: spendOfCost(25),
    });
    await one.books.abandon();
    nodes = nodes.filter((node) => node !== one);
    await start([open], { unheldBefore: true });
    await until(two, 'open', 25, 40);
    settle(mine, 1);
    await until(two, 'open', 26, 0);
  });
});
