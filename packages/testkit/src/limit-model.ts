import type { Budget } from '@tallygate/server/limits/budget';
import type { Hold } from '@tallygate/server/limits/budget-hold';
import { countedRange } from '@tallygate/server/limits/budget-window';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  covers,
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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Runs are shorter than this, and nothing in them is later than now. */
const LONGEST_RUN_MS = 48 * HOUR_MS;

type Step =
  | { kind: 'ask'; node: number; amount: number; project: string; lateMinutes: number }
  | { kind: 'settle'; pick: number; cost: number }
  | { kind: 'release'; pick: number }
  | { kind: 'move'; pick: number; amount: number; project: string }
  | { kind: 'restart'; node: number; dispatched: boolean }
  | { kind: 'pass'; minutes: number }
  | { kind: 'lose' };

const project = fc.constantFrom('p1', 'p2');
const amount = fc.integer({ min: 0, max: 60 });
const one = <K extends Step['kind']>(kind: K) => fc.constant(kind);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ kind: one('ask'), node: fc.nat(2), amount, project },
      lateMinutes: fc.oneof(fc.constant(0), fc.nat(8)),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: one('settle'), pick: fc.nat(20), cost: amount }) },
  { weight: 1, arbitrary: fc.record({ kind: one('release'), pick: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: one('move'), pick: fc.nat(20), amount, project }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: one('restart'), node: fc.nat(2), dispatched: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: one('pass'), minutes: fc.integer({ min: 1, max: 45 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lose' as const }) },
);

interface Entry {
  hold: Hold;
  node: number;
  amount: number;
  project: string;
  startedAtMs: number;
}

/** Says in the plainest way what budgets have to say. */
class Oracle {
  readonly budgets: Budget[];
  /** Requests cannot have started earlier than their process. */
  startedMs: number;
  open: Entry[] = [];
  readonly done: { project: string; amount: number; startedAtMs: number }[] = [];

  constructor(budgets: Budget[], startedMs: number) {
    this.budgets = budgets;
    this.startedMs = startedMs;
  }

  /** What started from when on counts with a request of this start. */
  #counts(budget: Budget, atMs: number) {
    const { startMs, endMs } = countedRange(atMs, budget);
    return (other: { project: string; startedAtMs: number }): boolean =>
      covers(budget, scopesOf(other.project)) &&
      other.startedAtMs >= startMs &&
      (budget.sliding || other.startedAtMs < endMs);
  }

  spent(budget: Budget, atMs: number): number {
    const counts = this.#counts(budget, atMs);
    return this.done.filter(counts).reduce((sum, entry) => sum + entry.amount, 0);
  }

  held(budget: Budget, atMs: number, without: Entry | null = null): number {
    const counts = this.#counts(budget, atMs);
    const mine = this.open.filter((entry) => entry !== without && counts(entry));
    return mine.reduce((sum, entry) => sum + entry.amount, 0);
  }

  admits(
    { project, amount: needed, startedAtMs: atMs }: Pick<Entry, 'project' | 'amount' | 'startedAtMs'>,
    without: Entry | null = null,
  ): boolean {
    return this.budgets
      .filter((budget) => budget.mode !== 'soft' && covers(budget, scopesOf(project)))
      .every(
        (budget) => this.spent(budget, atMs) + this.held(budget, atMs, without) + needed <= budget.limit,
      );
  }

  end(entry: Entry, cost: number): void {
    this.open = this.open.filter((other) => other !== entry);
    this.done.push({ project: entry.project, startedAtMs: entry.startedAtMs, amount: cost });
  }
}

/** Random steps over passing time, against the oracle. */
export async function agreesWithOracle(bench: LimitBench): Promise<void> {
  const budgets = [
    testBudget('all', { limit: 150, window: 'day' }),
    testBudget('p1', { scope: [{ kind: 'project', value: 'p1' }], limit: 400 }),
    testBudget('slides', { limit: 120, window: 'hour', sliding: true }),
    testBudget('soft', { mode: 'soft', limit: 10, scope: [{ kind: 'project', value: 'p2' }] }),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const ledger = new TestLedger();
      const clock = { nowMs: NOW - LONGEST_RUN_MS };
      const world = new Play(await bench.open(budgets, ledger, clock), ledger, clock);
      const oracle = new Oracle(budgets, clock.nowMs);
      try {
        for (const step of steps) await take(world, oracle, step);
        for (const budget of budgets) {
          const wanted = [oracle.spent(budget, clock.nowMs), oracle.held(budget, clock.nowMs)];
          for (const said of await world.books(budget.id)) expect(said, budget.id).toEqual(wanted);
          const rows = ledger.spentIn(budget, countedRange(clock.nowMs, budget));
          expect(rows, budget.id).toBe(oracle.spent(budget, clock.nowMs)); // spent is the sum of the ledger
        }
        expectNeverOver(budgets, ledger);
      } finally {
        await world.world.close();
      }
    }),
    { numRuns: bench.modelRuns, endOnFailure: true },
  );
}

/** In no hour whatever, and on no day, have requests started that came to more than what was held for them. */
function expectNeverOver(budgets: readonly Budget[], ledger: TestLedger): void {
  const sliding = budgets.find((budget) => budget.sliding);
  if (sliding === undefined) return;
  for (const { startedAtMs } of ledger.rows.values()) {
    const hour = { startMs: startedAtMs, endMs: startedAtMs + HOUR_MS };
    expect(ledger.spentIn(sliding, hour)).toBeLessThanOrEqual(sliding.limit);
  }
}

async function take(world: Play, oracle: Oracle, step: Step): Promise<void> {
  const picked = 'pick' in step ? oracle.open[step.pick % Math.max(1, oracle.open.length)] : undefined;
  if ('pick' in step && picked === undefined) return;
  await world.world.settled();
  if (step.kind === 'ask') await ask(world, oracle, step);
  else if (step.kind === 'pass') world.clock.nowMs += step.minutes * MINUTE_MS;
  else if (step.kind === 'settle' && picked) {
    const cost = Math.min(step.cost, picked.amount); // the bound holds
    world.settle(picked.hold, picked.project, cost);
    oracle.end(picked, cost);
  } else if (step.kind === 'release' && picked) {
    picked.hold.release();
    oracle.end(picked, 0);
  } else if (step.kind === 'move' && picked) await move(world, oracle, { ...step, picked });
  else if (step.kind === 'restart') await restart(world, oracle, step);
  else if (step.kind === 'lose') await world.world.lose?.();
}

async function ask(world: Play, oracle: Oracle, step: Extract<Step, { kind: 'ask' }>): Promise<void> {
  const startedAtMs = Math.max(oracle.startedMs, world.clock.nowMs - step.lateMinutes * MINUTE_MS);
  const decision = await world.ask(step.amount, { ...step, atMs: startedAtMs });
  expect(reasonOf(decision) === 'hold').toBe(oracle.admits({ ...step, startedAtMs }));
  if (reasonOf(decision) === 'hold') oracle.open.push({ ...step, startedAtMs, hold: heldBy(decision) });
}

async function move(
  world: Play,
  oracle: Oracle,
  { picked, ...step }: Extract<Step, { kind: 'move' }> & { picked: Entry },
): Promise<void> {
  const { startedAtMs, node } = picked;
  // Nothing moves for so long: what is older than a window is filed in the oldest part of it.
  if (world.clock.nowMs - startedAtMs > 50 * MINUTE_MS) return;
  const decision = await world.ask(step.amount, { ...step, node, replaces: picked.hold });
  expect(reasonOf(decision) === 'hold').toBe(oracle.admits({ ...step, startedAtMs }, picked));
  if (reasonOf(decision) !== 'hold') return;
  Object.assign(picked, { hold: heldBy(decision), amount: step.amount, project: step.project });
}

/** What was on its way and dispatched is found in the journal and counts at its bound. */
async function restart(
  world: Play,
  oracle: Oracle,
  { node, dispatched }: Extract<Step, { kind: 'restart' }>,
) {
  const count = world.world.states.length;
  for (const entry of oracle.open.filter((held) => held.node % count === node % count)) {
    const { requestId: id, startedAtMs } = entry.hold;
    const spend = spendOfCost(entry.amount);
    if (dispatched) world.ledger.rows.set(id, { id, startedAtMs, scopes: scopesOf(entry.project), spend });
    oracle.end(entry, dispatched ? entry.amount : 0);
  }
  oracle.startedMs = world.clock.nowMs;
  await world.world.restart(node % count);
}
