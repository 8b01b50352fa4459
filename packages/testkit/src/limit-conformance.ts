import type { Budget, RequestScopes, Spend, UpperBound } from '@tallygate/server/limits/budget';
import { spendOf, used } from '@tallygate/server/limits/budget-account';
import type { Hold } from '@tallygate/server/limits/budget-hold';
import { windowAt } from '@tallygate/server/limits/budget-window';
import type { Decision, LimitState } from '@tallygate/server/limits/limit-state';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

/** A row of the ledger of a test: written when a request ends, or when its process is found dead. */
export interface TestRow {
  id: string;
  startedAtMs: number;
  scopes: RequestScopes;
  spend: Spend;
}

/** The ledger that a test keeps. */
export class TestLedger {
  readonly rows = new Map<string, TestRow>();

  spentIn(budget: Budget, { startMs, endMs }: { startMs: number; endMs: number }): number {
    let sum = 0;
    for (const row of this.rows.values())
      if (row.startedAtMs >= startMs && row.startedAtMs < endMs && covers(budget, row.scopes))
        sum += spendOf(budget, row.spend);
    return sum;
  }
}

export interface LimitWorld {
  /** One state for each process that shares the budgets. */
  states: LimitState[];
  /** Kills one process and starts it anew; the ledger has rows for what it left. */
  restart(index: number): Promise<void>;
  /** Resolves when every end is in the books of all. */
  settled(): Promise<void>;
  /** Takes everything away that the shared state holds, and waits until it is made anew; null where there is none. */
  lose: (() => Promise<void>) | null;
  close(): Promise<void>;
}

export interface LimitBench {
  name: string;
  skipped: string | null;
  open(budgets: readonly Budget[], ledger: TestLedger): Promise<LimitWorld>;
}

const NOW = Date.now();

export function testBudget(id: string, change: Partial<Budget> = {}): Budget {
  return {
    id,
    workspaceId: 'ws',
    scope: [],
    measure: 'usd',
    limit: 100,
    window: 'total',
    windowMs: null,
    timeZone: 'UTC',
    mode: 'hard',
    unpriced: 'refuse',
    provisionalNanoUsdPerMtok: null,
    onOutage: 'closed',
    createdAtMs: 0,
    ...change,
  };
}

function covers({ scope }: Budget, { projectId }: RequestScopes): boolean {
  return scope.every(({ value }) => value === projectId);
}

const scopesOf = (projectId: string): RequestScopes => ({
  workspaceId: 'ws',
  keyId: 'k',
  userId: null,
  projectId,
  sessionId: null,
  model: 'm',
  provider: 'p',
  accountId: 'a',
  tags: [],
});

/** So many nano-USD and tokens alike. */
export function spendOfCost(cost: number): Spend {
  return { costNanoUsd: cost, tokens: cost, weightedTokens: cost, unpricedTokens: 0 };
}

/** Costs `amount`, of which `output` falls to the output limit, one for each token. */
const boundOf = (amount: number, output = 0): UpperBound => ({
  outputTokens: output,
  minOutputTokens: output > 0 ? 1 : null,
  costNanoUsd: (tokens) => amount - output + tokens,
  tokens: (tokens) => amount - output + tokens,
  weightedTokens: (tokens) => amount - output + tokens,
});

/** A world with the shorthand that tests speak. */
class Play {
  readonly ledger = new TestLedger();
  readonly world: LimitWorld;
  #ids = 0;

  constructor(world: LimitWorld, ledger: TestLedger) {
    this.world = world;
    this.ledger = ledger;
  }

  state(node: number): LimitState {
    const state = this.world.states[node % this.world.states.length];
    if (state === undefined) throw new Error('no such node');
    return state;
  }

  async ask(
    amount: number,
    { node = 0, project = 'p1', output = 0, atMs = NOW, replaces = null as Hold | null } = {},
  ): Promise<Decision> {
    const id = replaces?.requestId ?? `request-${this.#ids++}`;
    const ask = { id, startedAtMs: replaces?.startedAtMs ?? atMs, scopes: scopesOf(project), replaces };
    return this.state(node).reserve(ask, () => boundOf(amount, output));
  }

  /** The request ends: its row is in the ledger before the budgets hear of it, as the journal has it. */
  settle(hold: Hold, project: string, cost: number): void {
    const spend = spendOfCost(cost);
    const { requestId: id, startedAtMs } = hold;
    this.ledger.rows.set(id, { id, startedAtMs, scopes: scopesOf(project), spend });
    hold.settle(spend);
  }

  /** What every process says of a budget. */
  async books(id: string, atMs = NOW): Promise<[spent: number, held: number][]> {
    await this.world.settled();
    const all: [number, number][] = [];
    for (const state of this.world.states) {
      await state.refresh(atMs);
      const status = state.status(id, atMs);
      all.push(status === null ? [-1, -1] : [used(status.window), status.window.held]);
    }
    return all;
  }
}

export function heldBy(decision: Decision): Hold {
  if (decision === null || !('hold' in decision))
    throw new Error(`not admitted: ${JSON.stringify(decision)}`);
  return decision.hold;
}

export function reasonOf(decision: Decision): string {
  if (decision === null) return 'none';
  if ('hold' in decision) return 'hold';
  return 'refusal' in decision ? decision.refusal.reason : 'unavailable';
}

/** What every state of the limits has to do, one process or several. */
export function limitConformance(bench: LimitBench): void {
  describe.skipIf(bench.skipped !== null)(`limits: ${bench.name}`, { timeout: 120_000 }, () => {
    let play: Play | null = null;
    afterEach(async () => {
      await play?.world.close();
      play = null;
    });
    const open = async (...budgets: Budget[]): Promise<Play> => {
      const ledger = new TestLedger();
      play = new Play(await bench.open(budgets, ledger), ledger);
      return play;
    };
    const same = (world: Play, pair: [number, number]) => world.world.states.map(() => pair);

    basics(open, same);
    crashes(open, same);
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

type Step =
  | { kind: 'ask'; node: number; amount: number; project: string }
  | { kind: 'settle'; pick: number; cost: number }
  | { kind: 'release'; pick: number }
  | { kind: 'move'; pick: number; amount: number; project: string }
  | { kind: 'restart'; node: number; dispatched: boolean }
  | { kind: 'lose' };

const project = fc.constantFrom('p1', 'p2');
const amount = fc.integer({ min: 0, max: 60 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), node: fc.nat(2), amount, project }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), pick: fc.nat(20), cost: amount }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('move' as const), pick: fc.nat(20), amount, project }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      node: fc.nat(2),
      dispatched: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'lose' as const }) },
);

interface Held {
  hold: Hold;
  node: number;
  amount: number;
  project: string;
}

/** Says in the plainest way what budgets have to say. */
class Oracle {
  readonly budgets: Budget[];
  readonly spent = new Map<string, number>();
  open: Held[] = [];

  constructor(budgets: Budget[]) {
    this.budgets = budgets;
    for (const { id } of budgets) this.spent.set(id, 0);
  }

  matching(projectId: string): Budget[] {
    return this.budgets.filter((budget) => covers(budget, scopesOf(projectId)));
  }

  held(budget: Budget, without: Held | null = null): number {
    const mine = this.open.filter((one) => one !== without && covers(budget, scopesOf(one.project)));
    return mine.reduce((sum, one) => sum + one.amount, 0);
  }

  admits(projectId: string, needed: number, without: Held | null = null): boolean {
    return this.matching(projectId).every(
      (budget) =>
        budget.mode === 'soft' ||
        (this.spent.get(budget.id) ?? 0) + this.held(budget, without) + needed <= budget.limit,
    );
  }

  end(one: Held, cost: number): void {
    this.open = this.open.filter((other) => other !== one);
    for (const { id } of this.matching(one.project)) this.spent.set(id, (this.spent.get(id) ?? 0) + cost);
  }
}

async function agreesWithOracle(bench: LimitBench): Promise<void> {
  const budgets = [
    testBudget('all', { limit: 150, window: 'day' }),
    testBudget('p1', { scope: [{ kind: 'project', value: 'p1' }], limit: 90 }),
    testBudget('soft', { mode: 'soft', limit: 10, scope: [{ kind: 'project', value: 'p2' }] }),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const ledger = new TestLedger();
      const world = new Play(await bench.open(budgets, ledger), ledger);
      const oracle = new Oracle(budgets);
      try {
        for (const one of steps) await take(world, oracle, one);
        for (const budget of budgets) {
          const wanted = [oracle.spent.get(budget.id), oracle.held(budget)];
          for (const said of await world.books(budget.id)) expect(said).toEqual(wanted);
          const window = windowAt(NOW, budget);
          const rows = ledger.spentIn(budget, { startMs: window.startMs, endMs: window.endMs });
          expect(rows).toBe(oracle.spent.get(budget.id)); // spent is the sum of the ledger
        }
      } finally {
        await world.world.close();
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
}

async function take(world: Play, oracle: Oracle, step: Step): Promise<void> {
  const picked = 'pick' in step ? oracle.open[step.pick % Math.max(1, oracle.open.length)] : undefined;
  if ('pick' in step && picked === undefined) return;
  await world.world.settled();
  if (step.kind === 'ask') {
    const decision = await world.ask(step.amount, step);
    expect(reasonOf(decision) === 'hold').toBe(oracle.admits(step.project, step.amount));
    if (reasonOf(decision) === 'hold') oracle.open.push({ ...step, hold: heldBy(decision) });
  } else if (step.kind === 'settle' && picked) {
    world.settle(picked.hold, picked.project, step.cost);
    oracle.end(picked, step.cost);
  } else if (step.kind === 'release' && picked) {
    picked.hold.release();
    oracle.end(picked, 0);
  } else if (step.kind === 'move' && picked) {
    const decision = await world.ask(step.amount, { ...step, node: picked.node, replaces: picked.hold });
    expect(reasonOf(decision) === 'hold').toBe(oracle.admits(step.project, step.amount, picked));
    if (reasonOf(decision) !== 'hold') return;
    Object.assign(picked, { hold: heldBy(decision), amount: step.amount, project: step.project });
  } else if (step.kind === 'restart') await restart(world, oracle, step);
  else if (step.kind === 'lose') await world.world.lose?.();
}

/** What was on its way and dispatched is found in the journal and counts at its bound. */
async function restart(
  world: Play,
  oracle: Oracle,
  { node, dispatched }: Extract<Step, { kind: 'restart' }>,
) {
  const count = world.world.states.length;
  for (const one of oracle.open.filter((held) => held.node % count === node % count)) {
    const { requestId: id, startedAtMs } = one.hold;
    const spend = spendOfCost(one.amount);
    if (dispatched) world.ledger.rows.set(id, { id, startedAtMs, scopes: scopesOf(one.project), spend });
    oracle.end(one, dispatched ? one.amount : 0);
  }
  await world.world.restart(node % count);
}
