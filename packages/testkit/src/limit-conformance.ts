import type { Budget } from '@tallygate/server/limits/budget';
import { windowAt } from '@tallygate/server/limits/budget-window';
import { afterEach, describe, expect, it } from 'vitest';
import { agreesWithOracle } from './limit-model.ts';
import {
  heldBy,
  type LimitBench,
  NOW,
  Play,
  reasonOf,
  scopesOf,
  spendOfCost,
  TestLedger,
  testBudget,
} from './limit-play.ts';

/** What every state of the limits has to do, one process or several. */
export function limitConformance(bench: LimitBench): void {
  describe.skipIf(bench.skipped !== null)(`limits: ${bench.name}`, { timeout: 120_000 }, () => {
    let play: Play | null = null;
    afterEach(async () => {
      await play?.world.close();
      play = null;
    });
    const openAt = async (nowMs: number, ...budgets: Budget[]): Promise<Play> => {
      const ledger = new TestLedger();
      const clock = { nowMs };
      play = new Play(await bench.open(budgets, ledger, clock), ledger, clock);
      return play;
    };
    const open: Open = (...budgets) => openAt(NOW, ...budgets);
    const same = (world: Play, pair: [number, number]) => world.world.states.map(() => pair);

    basics(open, same);
    crashes(open, same);
    sliding((budget) => openAt(START, budget), same);
    it('agrees with a simple oracle, whatever happens in whatever order', () => agreesWithOracle(bench));
  });
}

type Open = (...budgets: Budget[]) => Promise<Play>;
type Same = (world: Play, pair: [number, number]) => [number, number][];

function basics(open: Open, same: Same): void {
  it('admits up to the limit exactly, from every process, and tells held from spent', async () => {
    const world = await open(testBudget('b'));
    const first = heldBy(await world.ask(60, { node: 0 }));
    heldBy(await world.ask(40, { node: 1 }));
    expect(reasonOf(await world.ask(1, { node: 2 }))).toBe('held');
    world.settle(first, 'p1', 10);
    expect(await world.books('b')).toEqual(same(world, [10, 40]));
    world.settle(heldBy(await world.ask(50, { node: 1 })), 'p1', 50);
    await world.world.settled();
    expect(reasonOf(await world.ask(41, { node: 2 }))).toBe('spent');
  });

  it('reserves in all budgets or in none', async () => {
    const narrow = testBudget('narrow', { scope: [{ kind: 'project', value: 'p1' }], limit: 5 });
    const world = await open(testBudget('wide'), narrow);
    const refused = await world.ask(6, { node: 1 });
    expect(refused !== null && 'refusal' in refused && refused.refusal.account.budget.id).toBe('narrow');
    expect(await world.books('wide')).toEqual(same(world, [0, 0]));
    heldBy(await world.ask(5, { node: 1 }));
    expect(await world.books('narrow')).toEqual(same(world, [0, 5]));
    expect(await world.books('wide')).toEqual(same(world, [0, 5]));
  });

  it('many budgets over one request, none of which anybody has asked about before', async () => {
    const many = Array.from({ length: 12 }, (_, i) => testBudget(`b${i}`, { limit: 100 - i }));
    const world = await open(...many);
    const refused = await world.ask(90);
    expect(refused !== null && 'refusal' in refused && refused.refusal.account.budget.id).toBe('b11');
    heldBy(await world.ask(89, { node: 1 }));
    expect(await world.books('b11')).toEqual(same(world, [0, 89]));
  });

  it('0 lets nothing through, soft never refuses, and settling twice counts once', async () => {
    const world = await open(
      testBudget('none', { limit: 0, scope: [{ kind: 'project', value: 'p2' }] }),
      testBudget('soft', { mode: 'soft', limit: 1 }),
    );
    expect(reasonOf(await world.ask(0, { project: 'p2' }))).toBe('spent');
    const hold = heldBy(await world.ask(7));
    expect(hold.exceeded().map(({ budget }) => budget.id)).toEqual(['soft']);
    world.settle(hold, 'p1', 3);
    hold.settle(spendOfCost(3));
    hold.release();
    expect(await world.books('soft')).toEqual(same(world, [3, 0]));
  });

  it('clamps to what is left, also when another process used it', async () => {
    const world = await open(testBudget('b', { mode: 'clamp' }));
    heldBy(await world.ask(70, { node: 0 }));
    const clamped = heldBy(await world.ask(60, { node: 1, output: 50 }));
    expect(clamped.clampedTo).toBe(20);
    expect(await world.books('b')).toEqual(same(world, [0, 100]));
    expect(reasonOf(await world.ask(60, { node: 2, output: 50 }))).toBe('held');
  });

  it('gives up what a request held only when what it asks for instead is admitted', async () => {
    const world = await open(
      testBudget('wide'),
      testBudget('narrow', { scope: [{ kind: 'project', value: 'p2' }], limit: 50 }),
    );
    const first = heldBy(await world.ask(80, { node: 1 }));
    expect(reasonOf(await world.ask(60, { node: 1, project: 'p2', replaces: first }))).toBe('spent');
    expect(first.open).toBe(true);
    expect(await world.books('wide')).toEqual(same(world, [0, 80]));
    const second = heldBy(await world.ask(50, { node: 1, project: 'p2', replaces: first }));
    expect(await world.books('wide')).toEqual(same(world, [0, 50]));
    first.settle(spendOfCost(80));
    world.settle(second, 'p2', 7);
    expect(await world.books('wide')).toEqual(same(world, [7, 0]));
    expect(await world.state(0).holds()).toEqual([]);
  });

  it('many at once: as many as fit, no more and no fewer', async () => {
    const world = await open(testBudget('b', { limit: 1_000 }), testBudget('soft', { mode: 'soft' }));
    const asked = await Promise.all(Array.from({ length: 600 }, (_, i) => world.ask(10, { node: i })));
    const holds = asked.filter((decision) => reasonOf(decision) === 'hold').map(heldBy);
    expect(holds).toHaveLength(100);
    expect(await world.books('b')).toEqual(same(world, [0, 1_000]));
    expect(await world.state(0).holds()).toHaveLength(100);
    for (const [index, hold] of holds.entries()) world.settle(hold, 'p1', index % 2 === 0 ? 10 : 4);
    expect(await world.books('b')).toEqual(same(world, [700, 0]));
    expect(await world.books('soft')).toEqual(same(world, [700, 0]));
  });

  it('counts amounts near the largest whole number exactly', async () => {
    const limit = 9_000_000_000_000_000;
    const world = await open(testBudget('b', { limit }));
    world.settle(heldBy(await world.ask(limit - 3)), 'p1', limit - 3);
    await world.world.settled();
    expect(reasonOf(await world.ask(4, { node: 1 }))).toBe('spent');
    heldBy(await world.ask(3, { node: 1 }));
    expect(await world.books('b')).toEqual(same(world, [limit - 3, 3]));
  });

  it('a request counts in the window it started in', async () => {
    const hour = testBudget('b', { window: 'hour' });
    const { startMs, endMs } = windowAt(NOW, hour);
    const world = await open(hour);
    const late = heldBy(await world.ask(90, { atMs: endMs - 1, node: 0 }));
    heldBy(await world.ask(95, { atMs: endMs, node: 1 }));
    world.settle(late, 'p1', 80);
    expect(await world.books('b', endMs)).toEqual(same(world, [0, 95]));
    expect(world.ledger.spentIn(hour, { startMs, endMs })).toBe(80);
  });
}

function crashes(open: Open, same: Same): void {
  it('a process that dies: what it held counts as its rows say, and nothing stays held', async () => {
    const world = await open(testBudget('b'));
    const done = heldBy(await world.ask(30, { node: 1 }));
    const cut = heldBy(await world.ask(20, { node: 1 }));
    heldBy(await world.ask(10, { node: 1 })); // never sent: no row
    world.settle(done, 'p1', 12);
    const { requestId: id, startedAtMs } = cut;
    world.ledger.rows.set(id, {
      id,
      startedAtMs,
      scopes: scopesOf('p1'),
      spend: spendOfCost(20),
    });
    await world.world.restart(1);
    expect(await world.books('b')).toEqual(same(world, [32, 0]));
  });

  it('books that are lost are made anew: spent by the ledger, held by who holds it', async () => {
    const world = await open(
      testBudget('b'),
      testBudget('other', { scope: [{ kind: 'project', value: 'p2' }] }),
    );
    if (world.world.lose === null) return;
    world.settle(heldBy(await world.ask(30, { node: 0 })), 'p1', 12);
    const open1 = heldBy(await world.ask(20, { node: 1 }));
    const open2 = heldBy(await world.ask(15, { node: 2, project: 'p2' }));
    await world.world.lose();
    expect(await world.books('b')).toEqual(same(world, [12, 35]));
    expect(await world.books('other')).toEqual(same(world, [0, 15]));
    world.settle(open1, 'p1', 5);
    expect(await world.books('b')).toEqual(same(world, [17, 15]));
    await world.world.lose();
    world.settle(open2, 'p2', 9);
    expect(await world.books('b')).toEqual(same(world, [26, 0]));
    expect(await world.books('other')).toEqual(same(world, [9, 0]));
    expect(reasonOf(await world.ask(75, { node: 1 }))).toBe('spent');
    heldBy(await world.ask(74, { node: 1 }));
  });
}

const HOUR_MS = 3_600_000;
/** An hour in 24 slices. */
const SLICE_MS = HOUR_MS / 24;

/** The first instant of a slice, long enough ago for every instant of these tests to be past. */
const START = (Math.floor(NOW / SLICE_MS) - 100) * SLICE_MS;

function sliding(open: (budget: Budget) => Promise<Play>, same: Same): void {
  const hour = testBudget('b', { window: 'hour', sliding: true });

  it('a sliding window: spend counts for its whole length, leaves within a slice more, and not before', async () => {
    const world = await open(hour);
    world.clock.nowMs = START + 1;
    world.settle(heldBy(await world.ask(60)), 'p1', 60);
    world.clock.nowMs = START + HOUR_MS / 2;
    world.settle(heldBy(await world.ask(30, { node: 1 })), 'p1', 30);
    await world.world.settled();
    const refused = await world.ask(50, { node: 2 });
    expect(refused).toMatchObject({ refusal: { reason: 'spent', freeAtMs: START + HOUR_MS + SLICE_MS } });
    // An hour after the first request all of it counts still.
    world.clock.nowMs = START + HOUR_MS + SLICE_MS - 1;
    expect(await world.books('b')).toEqual(same(world, [90, 0]));
    expect(reasonOf(await world.ask(11, { node: 1 }))).toBe('spent');
    world.clock.nowMs += 1;
    expect(await world.books('b')).toEqual(same(world, [30, 0]));
    heldBy(await world.ask(70, { node: 2 }));
    expect(await world.books('b')).toEqual(same(world, [30, 70]));
    expect(reasonOf(await world.ask(1, { node: 1 }))).toBe('held');
  });

  it('a sliding window: a request that is judged late is judged by everything that started since', async () => {
    const world = await open(hour);
    world.clock.nowMs = START + HOUR_MS;
    world.settle(heldBy(await world.ask(40, { node: 1 })), 'p1', 40);
    const atMs = START + HOUR_MS - 3 * SLICE_MS;
    expect(reasonOf(await world.ask(61, { atMs }))).toBe('spent');
    const late = heldBy(await world.ask(60, { atMs, node: 2 }));
    expect(reasonOf(await world.ask(1))).toBe('held');
    world.settle(late, 'p1', 50);
    // It counts by when it started, as its row does.
    world.clock.nowMs = atMs + HOUR_MS + SLICE_MS;
    expect(await world.books('b')).toEqual(same(world, [40, 0]));
  });

  it('a sliding window: what had left for new requests counts for one that is judged late', async () => {
    const world = await open(hour);
    world.clock.nowMs = START;
    world.settle(heldBy(await world.ask(60)), 'p1', 60);
    // Every slice on the way has been looked at.
    for (; world.clock.nowMs < START + 100 * 60_000; world.clock.nowMs += SLICE_MS) await world.books('b');
    heldBy(await world.ask(30, { node: 1 }));
    // Fifty minutes after the first and as long before now: with 11 there would be 101 within an hour, or 41 held now.
    const atMs = START + 50 * 60_000;
    expect(reasonOf(await world.ask(11, { node: 2, atMs }))).toBe('held');
    heldBy(await world.ask(10, { node: 2, atMs }));
  });

  it('a sliding window: a clock that was ahead for a while forgets nothing and counts nothing twice', async () => {
    const world = await open(hour);
    world.clock.nowMs = START;
    world.settle(heldBy(await world.ask(60)), 'p1', 60);
    world.clock.nowMs = START + 3 * HOUR_MS;
    world.settle(heldBy(await world.ask(100, { node: 1 })), 'p1', 100);
    expect(await world.books('b')).toEqual(same(world, [100, 0]));
    world.clock.nowMs = START + HOUR_MS / 6;
    expect(await world.books('b')).toEqual(same(world, [60, 0]));
    expect(reasonOf(await world.ask(41, { node: 2 }))).toBe('spent');
    heldBy(await world.ask(40, { node: 1 }));
  });

  it('a sliding window: after a crash and after a loss it is what the rows say, slice by slice', async () => {
    const world = await open(hour);
    for (const minute of [0, 10, 20]) {
      world.clock.nowMs = START + minute * 60_000;
      world.settle(heldBy(await world.ask(20, { node: minute })), 'p1', 20);
    }
    await world.world.restart(0);
    expect(await world.books('b')).toEqual(same(world, [60, 0]));
    await world.world.lose?.();
    expect(await world.books('b')).toEqual(same(world, [60, 0]));
    world.clock.nowMs = START + HOUR_MS + 5 * 60_000;
    await world.world.restart(0);
    expect(await world.books('b')).toEqual(same(world, [40, 0]));
    expect(reasonOf(await world.ask(61))).toBe('spent');
    heldBy(await world.ask(60));
  });
}
