import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type CuttableProxy, startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import {
  heldBy,
  scopesOf,
  spendOfCost,
  TestLedger,
  type TestRow,
  testBudget,
} from '@tallygate/testkit/limit-play';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { used } from '../account-windows.ts';
import type { UpperBound } from '../budget.ts';
import type { Hold } from '../budget-hold.ts';
import type { LedgerSums } from './books-deps.ts';
import { RedisBooks } from './redis-books.ts';
import { RedisLimits } from './redis-limits.ts';

const target = redisTarget();
const scopes = scopesOf('p1');
const BUDGETS = [
  testBudget('open', { onOutage: 'open', limit: 1_000_000 }),
  testBudget('slides', { onOutage: 'open', limit: 1_000_000, window: 'hour', sliding: true }),
];
const costs = (amount: number): UpperBound => ({
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => amount,
  tokens: () => amount,
  weightedTokens: () => amount,
});

/** Rows wait in a journal until they are carried on, which may happen in the middle of any question. */
class CarriedLedger {
  readonly store = new TestLedger();
  readonly #journal: TestRow[] = [];

  write(row: TestRow): void {
    this.#journal.push(row);
  }

  carry(count: number): void {
    for (const row of this.#journal.splice(0, count)) this.store.rows.set(row.id, row);
  }

  asked(): LedgerSums {
    const asked = this.store.asked();
    const between = async <T>(ask: () => Promise<T>): Promise<T> => {
      await turn();
      this.carry(1);
      const answer = await ask();
      this.carry(1);
      return answer;
    };
    return {
      spentIn: (budget, range) => between(() => asked.spentIn(budget, range)),
      requests: (ids) => between(() => asked.requests(ids)),
      position: () => between(() => asked.position()),
      caughtUp: async () => {
        this.carry(Number.POSITIVE_INFINITY);
        return true;
      },
    };
  }
}

interface Node {
  proxy: CuttableProxy;
  books: RedisBooks;
  limits: RedisLimits;
}

let redis: PrivateRedis;
const proxies: CuttableProxy[] = [];
beforeAll(async () => {
  if (target.skipped !== null) return;
  redis = await target.start();
  for (let i = 0; i < 2; i++) proxies.push(await startCuttableProxy(redis.port));
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.stop();
  await redis?.stop();
});

/** @param clockAllowanceMs what starts within that time is older than the books */
async function startNode(
  proxy: CuttableProxy,
  ledger: CarriedLedger,
  { namespace, clockAllowanceMs }: { namespace: string; clockAllowanceMs: number },
): Promise<Node> {
  const books = new RedisBooks({
    url: `redis://127.0.0.1:${proxy.port}`,
    ...{ namespace, node: randomUUID(), newId: () => randomUUID(), logger: silentLogger },
    ledger: ledger.asked(),
    unheldMark: { set: () => undefined, clear: () => undefined },
    ...{ leftBehind: false, unheldBefore: false, deadlineMs: 2_000, patienceMs: 2_000 },
    timing: {
      beatMs: 15,
      leaseMs: 1_000,
      gatherMs: 50,
      gatherMaxMs: 2_000,
      chargeAfterMs: 60_000,
      clockAllowanceMs,
    },
    onReachable: () => undefined,
  });
  const limits = new RedisLimits(books, systemClock);
  for (const budget of BUDGETS)
    limits.add(budget, { nowMs: Date.now(), countsFromMs: Number.NEGATIVE_INFINITY });
  await books.start(20_000);
  return { proxy, books, limits };
}

type Step =
  | { kind: 'ask'; node: number; amount: number }
  | { kind: 'settle'; pick: number; cost: number }
  | { kind: 'carry' }
  | { kind: 'cut'; node: number }
  | { kind: 'heal'; node: number; waits: boolean }
  | { kind: 'look'; node: number }
  | { kind: 'flush' };

const one = <K extends Step['kind']>(kind: K) => fc.constant(kind);
const node = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: one('ask'), node, amount: fc.nat(50) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: one('settle'), pick: fc.nat(9), cost: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: one('carry') }) },
  { weight: 2, arbitrary: fc.record({ kind: one('cut'), node }) },
  { weight: 3, arbitrary: fc.record({ kind: one('heal'), node, waits: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: one('look'), node }) },
  { weight: 1, arbitrary: fc.record({ kind: one('flush') }) },
);

class World {
  readonly ledger = new CarriedLedger();
  readonly nodes: Node[] = [];
  readonly open: Hold[] = [];
  spent = 0;
  #ids = 0;

  async start(clockAllowanceMs: number): Promise<void> {
    const place = { namespace: randomUUID(), clockAllowanceMs };
    const starting = proxies.map((proxy) => {
      proxy.heal();
      return startNode(proxy, this.ledger, place);
    });
    this.nodes.push(...(await Promise.all(starting)));
  }

  async take(step: Step): Promise<void> {
    const at = this.nodes['node' in step ? step.node : 0];
    if (at === undefined) return;
    if (step.kind === 'ask') await this.#ask(at, step);
    else if (step.kind === 'settle') this.settle(step.pick, step.cost);
    else if (step.kind === 'carry') this.ledger.carry(3);
    else if (step.kind === 'look') await at.limits.refresh(Date.now());
    else if (step.kind === 'flush') await redis.command('FLUSHALL');
    else if (step.kind === 'cut') {
      at.proxy.refuse();
      await eventually('the node is cut off', () => at.books.current === null, 10_000);
    } else {
      at.proxy.heal();
      if (step.waits) await this.#up(at);
    }
  }

  async #ask({ limits }: Node, { amount }: Extract<Step, { kind: 'ask' }>): Promise<void> {
    const ask = { id: `r${this.#ids++}`, startedAtMs: Date.now(), scopes };
    this.open.push(heldBy(await limits.reserve(ask, () => costs(amount))));
  }

  settle(pick: number, cost: number): void {
    const [hold] = this.open.splice(pick % Math.max(1, this.open.length), 1);
    if (hold === undefined) return;
    const spend = spendOfCost(cost);
    this.spent += cost;
    this.ledger.write({ id: hold.requestId, startedAtMs: hold.startedAtMs, scopes, spend });
    hold.settle(spend);
  }

  #up({ books }: Node): Promise<unknown> {
    return eventually('the books are open', () => books.current !== null, 20_000);
  }

  /** Everything ends and everybody is back: then the books are the ledger. */
  async expectExact(): Promise<void> {
    for (const { proxy } of this.nodes) proxy.heal();
    for (const one of this.nodes) await this.#up(one);
    while (this.open.length > 0) this.settle(0, 7);
    const wanted = BUDGETS.map(() => [this.spent, 0]);
    for (const { books, limits } of this.nodes) {
      let said: (number[] | null)[] = [];
      const agrees = async (): Promise<boolean> => {
        if (books.current === null || !(await books.drained(0))) return false;
        await limits.refresh(Date.now());
        said = BUDGETS.map(({ id }) => {
          const status = limits.status(id, Date.now());
          return status && [used(status.window), status.window.held];
        });
        return JSON.stringify(said) === JSON.stringify(wanted);
      };
      await eventually('the books are the ledger', agrees, 5_000).catch(() => undefined);
      expect(said).toEqual(wanted);
    }
  }
}

describe.skipIf(target.skipped !== null)(
  'books that are made anew while requests pass unasked (X-02, X-08)',
  {
    timeout: 120_000,
  },
  () => {
    it('count a request once that passed unasked and whose row is read before the books hear of its end', async () => {
      const world = new World();
      await world.start(30_000);
      try {
        await world.take({ kind: 'cut', node: 1 });
        await world.take({ kind: 'ask', node: 1, amount: 20 });
        world.settle(0, 12);
        world.ledger.carry(1);
        await world.take({ kind: 'look', node: 0 }); // reads the ledger's sum, with the row in it
        await world.take({ kind: 'heal', node: 1, waits: true });
        await world.expectExact();
        // And one whose row comes after the reading.
        await world.take({ kind: 'cut', node: 1 });
        await world.take({ kind: 'ask', node: 1, amount: 20 });
        world.settle(0, 5);
        await world.expectExact();
      } finally {
        for (const { books } of world.nodes) await books.abandon();
      }
    });

    it('say what the ledger says, whatever is cut off, lost and carried on meanwhile', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
          const world = new World();
          await world.start(100);
          try {
            for (const step of steps) await world.take(step);
            await world.expectExact();
          } finally {
            for (const { books } of world.nodes) await books.abandon();
          }
        }),
        { numRuns: 10, endOnFailure: true },
      );
    });
  },
);
