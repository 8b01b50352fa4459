import { type CuttableProxy, startCuttableProxy } from '@tallygate/testkit/cuttable-proxy';
import { eventually } from '@tallygate/testkit/eventually';
import { testBudget } from '@tallygate/testkit/limit-play';
import { type PrivateRedis, redisTarget } from '@tallygate/testkit/private-redis';
import { type BooksNode, BooksWorld } from '@tallygate/testkit/shared-books-world';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Budget } from '../budget.ts';
import { KNOWN_WITHIN_MS } from './window-sums.ts';

const target = redisTarget();
const TIMING = {
  ...{ beatMs: 15, leaseMs: 1_000, gatherMs: 50, gatherMaxMs: 2_000 },
  ...{ chargeAfterMs: 60_000, clockAllowanceMs: 30_000 },
};
const LIMIT = 1_000_000;
const open = (id: string, change: Partial<Budget> = {}): Budget =>
  testBudget(id, { onOutage: 'open', limit: LIMIT, window: 'month', ...change });

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

const flush = () => redis.command('FLUSHALL');

async function inWorld(
  budgets: readonly Budget[],
  play: (world: BooksWorld, one: BooksNode, two: BooksNode) => Promise<void>,
  { clockAllowanceMs = TIMING.clockAllowanceMs, maxWaitingEnds = 1_000, deadlineMs = 2_000 } = {},
): Promise<void> {
  const world = new BooksWorld({ timing: { ...TIMING, clockAllowanceMs }, maxWaitingEnds, deadlineMs });
  try {
    await world.start(proxies, budgets);
    const [one, two] = world.nodes;
    if (one === undefined || two === undefined) throw new Error('no nodes');
    await play(world, one, two);
  } finally {
    await world.stop();
  }
}

type Step =
  | { kind: 'ask' | 'settle'; node: number; pick: number; amount: number }
  | { kind: 'carry' | 'cut' | 'heal' | 'wait' | 'look' | 'crash' | 'make' | 'learn' | 'flush'; node: number };

const of = (kinds: readonly Step['kind'][], weight: number) => ({
  weight,
  arbitrary: fc.record({
    ...{ kind: fc.constantFrom(...kinds), node: fc.nat(1), pick: fc.nat(9), amount: fc.nat(50) },
  }) as fc.Arbitrary<Step>,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  of(['ask'], 8),
  of(['settle'], 6),
  of(['cut', 'look', 'learn'], 6),
  of(['heal', 'wait'], 4),
  of(['carry', 'crash', 'make', 'flush'], 3),
);
async function take(world: BooksWorld, step: Step): Promise<void> {
  const node = world.nodes[step.node];
  if (node === undefined) return;
  if (step.kind === 'ask' && 'amount' in step) await world.ask(node, step.amount);
  else if (step.kind === 'settle' && 'pick' in step) world.settle(step.pick, step.amount);
  else if (step.kind === 'carry') node.journal.carry(3);
  else if (step.kind === 'cut') await world.cut(node);
  else if (step.kind === 'heal') await world.heal(node, false);
  else if (step.kind === 'wait') await world.heal(node);
  else if (step.kind === 'look') await node.limits.refresh(Date.now());
  else if (step.kind === 'crash') await world.crash(node);
  else if (step.kind === 'learn') world.learn(node);
  else if (step.kind === 'flush') await flush();
  else world.make(node, open(`made-${world.budgets.length}`, { createdAtMs: Date.now() }));
}

describe.skipIf(target.skipped !== null)('books made anew (X-02, X-08)', { timeout: 240_000 }, () => {
  it('count a request once that passed unasked, its row read before its end or after it', async () => {
    await inWorld([open('b')], async (world, one, two) => {
      await world.cut(two);
      await world.ask(two, 20);
      world.settle(0, 12);
      two.journal.carry(1);
      expect(await world.said(one)).toEqual([[12, 0]]); // the row is in the sum, and its end will come
      await world.heal(two);
      expect(await world.disagreement()).toBeNull();
      await world.cut(two);
      await world.ask(two, 20);
      world.settle(0, 5);
      expect(await world.disagreement()).toBeNull();
    });
  });

  it('count it once as well when its node is killed before or after its end is told', async () => {
    for (const tells of [false, true])
      await inWorld([open('b')], async (world, one, two) => {
        await world.cut(two);
        await world.ask(two, 20);
        two.cut = false;
        world.settle(0, 12);
        two.journal.carry(1);
        await world.said(one);
        if (tells) await world.heal(two);
        else two.proxy.heal();
        await world.crash(two);
        expect(await world.disagreement()).toBeNull();
        expect(world.spent).toBe(12);
      });
  });

  it('a node whose ledger is behind keeps nobody waiting, and is waited for by nobody twice', async () => {
    await inWorld([open('b')], async (world, one, two) => {
      await world.ask(two, 20);
      await world.ask(one, 5);
      two.journal.stuck = true;
      world.settle(0, 12);
      await world.anew(one, flush);
      const generation = one.books.current?.generation;
      expect(two.books.current).toBeNull();
      expect(await world.said(one)).toEqual([[0, 5]]); // what ended there is in no ledger yet
      await world.ask(one, 9);
      two.journal.stuck = false;
      await world.up(two);
      // The others went on with the same books, and learn of what it brought.
      expect([one, two].map(({ books }) => books.current?.generation)).toEqual([generation, generation]);
      expect(await world.said(one)).toEqual([[12, 14]]);
      expect(await world.disagreement()).toBeNull();
    });
  });

  it('what a node holds is held from when the others make new books, also while its ledger is behind', async () => {
    const hard = testBudget('b', { limit: 100, window: 'month' });
    await inWorld([hard], async (world, one, two) => {
      await world.ask(two, 10);
      await world.ask(two, 70);
      two.journal.stuck = true;
      world.settle(0, 10);
      await world.anew(one, flush);
      expect(await world.said(one)).toEqual([[0, 70]]);
      await expect(world.ask(one, 31)).rejects.toThrow('not admitted');
      expect(await world.disagreement()).toBeNull();
    });
  });

  it('requests that a node let past a budget it did not know yet count, wherever that is asked', async () => {
    const play = async (world: BooksWorld, one: BooksNode, two: BooksNode): Promise<void> => {
      await world.ask(two, 30);
      await eventually('the books begin', () => Date.now() > (one.books.current?.fromMs ?? Number.NaN));
      world.make(one, testBudget('new', { limit: 100, window: 'month', createdAtMs: Date.now() }));
      await world.ask(two, 20);
      await world.ask(one, 40);
      expect(await world.said(one)).toEqual([
        [0, 90],
        [0, 40],
      ]);
      world.learn(two);
      await world.ask(two, 10);
      world.settle(0, 25);
      world.settle(0, 15);
      two.journal.carry(2);
      expect(await two.limits.reread('new', Date.now())).toBe(true);
      expect(await world.said(one)).toEqual([
        [40, 50],
        [40, 50],
      ]);
      await expect(world.ask(two, 11)).rejects.toThrow('not admitted');
      expect(await world.disagreement()).toBeNull();
    };
    await inWorld([open('old')], play, { clockAllowanceMs: 100 });
  });

  it('a node that learns of a budget too late for that has the books made anew', async () => {
    await inWorld(
      [open('old')],
      async (world, one, two) => {
        const generation = one.books.current?.generation;
        // Both have read what was spent, and books and budget are older than what passes now.
        const budget = open('new', { createdAtMs: Date.now() - KNOWN_WITHIN_MS });
        await eventually('the books begin', () => Date.now() > (one.books.current?.fromMs ?? Number.NaN));
        world.make(one, budget);
        await world.said(one);
        await world.ask(two, 20);
        world.settle(0, 12);
        two.journal.carry(1);
        expect(await world.said(one)).toEqual([
          [12, 0],
          [0, 0],
        ]);
        world.learn(two);
        const isAnew = (): boolean =>
          one.books.current !== null && one.books.current.generation !== generation;
        await expect.poll(isAnew, { timeout: 20_000 }).toBe(true);
        expect(await world.disagreement()).toBeNull();
      },
      { clockAllowanceMs: 100 },
    );
  });

  it("what ended unasked on a node that was cut off counts, also where it started after the others' books began", async () => {
    await inWorld(
      [open('b')],
      async (world, one, two) => {
        await world.ask(two, 30);
        await world.cut(two);
        await world.anew(one, flush);
        const books = one.books.current;
        await eventually('the books begin', () => Date.now() > (books?.fromMs ?? Number.NaN));
        await world.ask(two, 20);
        world.settle(1, 12);
        world.settle(0, 3);
        await world.heal(two);
        expect(await world.said(one)).toEqual([[15, 0]]);
        expect(await world.disagreement()).toBeNull();
        expect(two.books.current?.generation).toBe(books?.generation);
      },
      { clockAllowanceMs: 100 },
    );
  });

  it('what passed a node that had not joined any books yet counts when it joins those of the others', async () => {
    for (const clockAllowanceMs of [TIMING.clockAllowanceMs, 100])
      await inWorld(
        [open('b')],
        async (world, one, two) => {
          await world.cut(two);
          await world.crash(two);
          const begin = one.books.current?.fromMs ?? Number.NaN;
          if (clockAllowanceMs === 100) await eventually('the books begin', () => Date.now() > begin);
          expect(await world.said(one)).toEqual([[0, 0]]);
          await world.ask(two, 20);
          world.settle(0, 12);
          await world.heal(two);
          expect(await world.disagreement()).toBeNull();
        },
        { clockAllowanceMs },
      );
  });

  it('count a request once whose question reaches Redis only after its row was summed', async () => {
    await inWorld(
      [open('b')],
      async (world, one, two) => {
        await world.ask(two, 30);
        two.proxy.stall();
        await world.ask(two, 20); // nobody answers in time: it passes
        world.settle(1, 12);
        two.journal.carry(1);
        await one.limits.refresh(Date.now());
        expect(await one.limits.reread('b', Date.now())).toBe(true);
        two.proxy.go();
        await world.up(two);
        expect(await world.said(one)).toEqual([[12, 30]]);
        expect(await world.disagreement()).toBeNull();
      },
      { deadlineMs: 300 },
    );
  });

  it('leave the row of a request that was asked about out of the sum, also before its end arrives', async () => {
    await inWorld([open('b')], async (world, one, two) => {
      await world.ask(two, 20);
      two.proxy.stall();
      world.settle(0, 12);
      two.journal.carry(1);
      expect(await one.limits.reread('b', Date.now())).toBe(true);
      await one.limits.refresh(Date.now());
      const window = one.limits.status('b', Date.now())?.window;
      expect([window?.settled, window?.held]).toEqual([0, 20]);
      two.proxy.go();
      expect(await world.disagreement()).toBeNull();
    });
  });

  it('a new budget is in force on a node whose clock is behind that of the node that made it', async () => {
    await inWorld([open('old')], async (world, one, two) => {
      world.make(one, testBudget('new', { limit: 100, window: 'month', createdAtMs: Date.now() + 5_000 }));
      world.learn(two);
      await expect(world.ask(two, 101)).rejects.toThrow('not admitted');
      await world.ask(two, 60);
      await expect(world.ask(two, 41)).rejects.toThrow('not admitted');
    });
  });

  it("more ends than are kept for a Redis that is away are the ledger's to tell, and the books open again", async () => {
    await inWorld(
      [open('b')],
      async (world, _one, two) => {
        await world.ask(two, 20);
        await world.cut(two);
        for (let i = 0; i < 5; i++) await world.ask(two, 10);
        for (let i = 0; i < 5; i++) world.settle(1, 4);
        await world.anew(two, () => world.heal(two, false));
        expect(await world.said(two)).toEqual([[20, 20]]);
        expect(await world.disagreement()).toBeNull();
      },
      { maxWaitingEnds: 3 },
    );
  });

  it('say what the ledger says, whatever is cut off, killed, lost, made and carried on meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const edge = open('edge', { createdAtMs: Date.now() - KNOWN_WITHIN_MS + 300 });
        const slides = open('slides', { window: 'hour', sliding: true });
        await inWorld(
          [open('b'), slides, edge],
          async (world) => {
            for (const step of steps) await take(world, step);
            expect(await world.disagreement()).toBeNull();
          },
          { clockAllowanceMs: 150 },
        );
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});
