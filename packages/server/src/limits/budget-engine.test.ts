import { testBudget } from '@tallygate/testkit/limit-play';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { used } from './account-windows.ts';
import type { Budget, RequestScopes, Spend, UpperBound } from './budget.ts';
import { BudgetEngine } from './budget-engine.ts';
import type { Hold } from './budget-hold.ts';

const HOUR = 3_600_000;
const EVER = Number.NEGATIVE_INFINITY;

const budget = (id: string, change: Partial<Budget> = {}): Budget =>
  testBudget(id, { workspaceId: 'w', ...change });
const scopes = (change: Partial<RequestScopes> = {}): RequestScopes => ({
  workspaceId: 'w',
  keyId: 'k',
  userId: 'u',
  sessionId: 's',
  projectId: 'p',
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  accountId: 'a',
  tags: [],
  ...change,
});
/** Costs `fixed` and 1 for each output token; may be clamped to 1. */
const bound = (fixed: number, outputTokens = 0, priced = true): UpperBound => ({
  outputTokens,
  minOutputTokens: outputTokens > 0 ? 1 : null,
  costNanoUsd: (output) => (priced ? fixed + output : null),
  tokens: (output) => fixed + output,
  weightedTokens: (output) => fixed + 5 * output,
});

const spent = (costNanoUsd: number, tokens = 0): Spend => ({
  costNanoUsd,
  tokens,
  ...{ weightedTokens: tokens * 2, unpricedTokens: 0 },
});

function engineWith(...budgets: Budget[]): BudgetEngine {
  const engine = new BudgetEngine();
  for (const one of budgets) engine.add(one, { nowMs: 0, countsFromMs: EVER });
  return engine;
}
let ids = 0;
const ask = (engine: BudgetEngine, upper: UpperBound, atMs = 0, of: Partial<RequestScopes> = {}) =>
  engine.reserve({ id: `r${ids++}`, startedAtMs: atMs, scopes: scopes(of) }, () => upper);
function held(result: ReturnType<typeof ask>): Hold {
  if (result === null || !('hold' in result)) throw new Error('not admitted');
  return result.hold;
}
const refusal = (result: ReturnType<typeof ask>) =>
  result !== null && 'refusal' in result ? result.refusal : null;
const books = (engine: BudgetEngine, id: string, atMs = 0) => {
  const window = engine.status(id, atMs)?.window;
  return window ? [used(window), window.held] : null;
};

describe('reserving (X-02)', () => {
  it('says nothing without a matching budget, and never asks for the bound', () => {
    const engine = engineWith(budget('b', { scope: [{ kind: 'key', value: 'other' }] }));
    const never = () => {
      throw new Error('asked');
    };
    expect(engine.reserve({ id: 'r', startedAtMs: 0, scopes: scopes() }, never)).toBeNull();
    expect(new BudgetEngine().active).toBe(false);
  });

  it('admits up to the limit exactly, then tells held from spent', () => {
    const engine = engineWith(budget('b'));
    const first = held(ask(engine, bound(60)));
    held(ask(engine, bound(40)));
    expect(refusal(ask(engine, bound(1)))?.reason).toBe('held');
    first.settle(spent(10, 0));
    expect(books(engine, 'b')).toEqual([10, 40]);
    held(ask(engine, bound(50))).settle(spent(50, 0));
    expect(refusal(ask(engine, bound(41)))).toMatchObject({ reason: 'spent', needed: 41 });
  });

  it('reserves in all budgets or in none', () => {
    const engine = engineWith(
      budget('wide'),
      budget('narrow', { scope: [{ kind: 'project', value: 'p' }], limit: 5 }),
    );
    expect(refusal(ask(engine, bound(6)))?.account.budget.id).toBe('narrow');
    expect([books(engine, 'wide'), books(engine, 'narrow')]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    held(ask(engine, bound(5)));
    expect([books(engine, 'wide'), books(engine, 'narrow')]).toEqual([
      [0, 5],
      [0, 5],
    ]);
  });

  it('gives up what a request held only when what it asks for instead is admitted', async () => {
    const engine = engineWith(
      budget('wide'),
      budget('narrow', { scope: [{ kind: 'account', value: 'b' }], limit: 50 }),
    );
    const first = held(ask(engine, bound(80)));
    const move = (amount: number, accountId: string) =>
      engine.reserve(
        { id: first.requestId, startedAtMs: 0, scopes: scopes({ accountId }), replaces: first },
        () => bound(amount),
      );
    expect(refusal(move(60, 'b'))?.account.budget.id).toBe('narrow');
    expect([books(engine, 'wide'), first.open]).toEqual([[0, 80], true]);
    const second = held(move(50, 'b'));
    expect([books(engine, 'wide'), books(engine, 'narrow'), first.open]).toEqual([[0, 50], [0, 50], false]);
    first.settle(spent(80, 0));
    second.settle(spent(7, 0));
    expect([books(engine, 'wide'), books(engine, 'narrow'), await engine.holds()]).toEqual([
      [7, 0],
      [7, 0],
      [],
    ]);
  });

  it('0 lets nothing through, not even what is free', () => {
    for (const measure of ['usd', 'tokens', 'requests'] as const) {
      const engine = engineWith(budget('b', { limit: 0, measure }));
      expect(refusal(ask(engine, bound(0)))?.reason).toBe('spent');
    }
  });

  it.each<[Budget['scope'], Partial<RequestScopes>, Partial<RequestScopes>]>([
    [[], {}, {}],
    [[{ kind: 'key', value: 'k1' }], { keyId: 'k1' }, { keyId: 'k2' }],
    [[{ kind: 'user', value: 'u1' }], { userId: 'u1' }, { userId: null }],
    [[{ kind: 'session', value: 's1' }], { sessionId: 's1' }, { sessionId: null }],
    [[{ kind: 'project', value: 'p1' }], { projectId: 'p1' }, { projectId: 'p2' }],
    [[{ kind: 'model', value: 'claude-*' }], { model: 'claude-x' }, { model: 'gpt-claude-x' }],
    [[{ kind: 'provider', value: 'openai' }], { provider: 'openai' }, { provider: 'anthropic' }],
    [[{ kind: 'account', value: 'a1' }], { accountId: 'a1' }, { accountId: null }],
    [[{ kind: 'tag', value: 't' }], { tags: ['x', 't', 't'] }, { tags: ['x'] }],
    [
      [
        { kind: 'key', value: 'k1' },
        { kind: 'model', value: 'claude-*' },
      ],
      { keyId: 'k1', model: 'claude-x' },
      { keyId: 'k1', model: 'gpt-5' },
    ],
    [
      [
        { kind: 'model', value: 'claude-*' },
        { kind: 'tag', value: 't' },
        { kind: 'tag', value: 'u' },
      ],
      { tags: ['u', 't'] },
      { tags: ['t'] },
    ],
  ])('scope %j counts its own requests, once', (scope, inside, outside) => {
    const engine = engineWith(budget('b', { scope }));
    held(ask(engine, bound(10), 0, inside));
    expect(books(engine, 'b')).toEqual([0, 10]);
    if (scope.length > 0) expect(ask(engine, bound(10), 0, outside)).toBeNull();
  });

  it('soft counts and flags, and never refuses', () => {
    const engine = engineWith(budget('b', { mode: 'soft' }));
    const hold = held(ask(engine, bound(500)));
    expect(hold.exceeded().map(({ budget: { id } }) => id)).toEqual(['b']);
    expect(hold.binding).toBe(false);
    hold.settle(spent(300, 0));
    expect(books(engine, 'b')).toEqual([300, 0]);
    expect(hold.fullest()?.ratio).toBe(3);
  });

  it('clamp lowers the output limit to what is left, and refuses when nothing would be', () => {
    const engine = engineWith(budget('b', { mode: 'clamp' }));
    expect(held(ask(engine, bound(20, 60))).clampedTo).toBeNull();
    expect(held(ask(engine, bound(5, 60))).clampedTo).toBe(15);
    expect(books(engine, 'b')).toEqual([0, 100]);
    expect(refusal(ask(engine, bound(5, 60)))).toMatchObject({ reason: 'held', needed: 65 });
  });

  it('a hard budget beside a clamping one judges the clamped request', () => {
    const engine = engineWith(budget('clamp', { mode: 'clamp', limit: 50 }), budget('hard', { limit: 50 }));
    expect(held(ask(engine, bound(10, 1000))).clampedTo).toBe(40);
  });

  it('a model without a price follows the policy of the budget', () => {
    const upper = bound(5, 0, false);
    expect(refusal(ask(engineWith(budget('b')), upper))?.reason).toBe('unpriced');
    const lenient = engineWith(budget('b', { unpriced: 'allow' }));
    held(ask(lenient, upper)).settle(spent(0, 5));
    expect(books(lenient, 'b')).toEqual([0, 0]);
    held(ask(lenient, bound(100))).settle(spent(100, 0));
    expect(refusal(ask(lenient, upper))?.reason).toBe('spent');
    held(ask(engineWith(budget('b', { measure: 'tokens' })), upper));
  });

  it('settles and releases once', async () => {
    const engine = engineWith(budget('b'), budget('n', { measure: 'requests' }));
    const hold = held(ask(engine, bound(30)));
    hold.settle(spent(7, 0));
    hold.settle(spent(7, 0));
    hold.release();
    expect([books(engine, 'b'), books(engine, 'n'), await engine.holds()]).toEqual([[7, 0], [1, 0], []]);
    held(ask(engine, bound(30))).release();
    expect([books(engine, 'b'), books(engine, 'n')]).toEqual([
      [7, 0],
      [1, 0],
    ]);
  });

  it('a hold belongs to the window it was made in; a clock set back opens none anew', () => {
    const engine = engineWith(budget('b', { window: 'hour' }));
    const old = held(ask(engine, bound(80), 10));
    held(ask(engine, bound(100), HOUR));
    old.settle(spent(80, 0));
    expect(books(engine, 'b', HOUR)).toEqual([0, 100]);
    expect(books(engine, 'b', 20)).toEqual([80, 0]); // the window before is still known
    expect(refusal(ask(engine, bound(21), 20))?.reason).toBe('spent');
    held(ask(engine, bound(20), -50 * HOUR)); // older than anything known: counts in the oldest
    expect(books(engine, 'b', 20)).toEqual([80, 20]);
  });

  it('leaves requests that are older than the account to the ledger', () => {
    const engine = new BudgetEngine();
    engine.add(budget('b'), { nowMs: 50, countsFromMs: 51 });
    engine.setBefore('b', 50, 90);
    expect(ask(engine, bound(1), 50)).toBeNull();
    expect(refusal(ask(engine, bound(11), 51))?.reason).toBe('spent');
    held(ask(engine, bound(10), 51));
    engine.update('b', { limit: 200 });
    engine.countAll('b');
    held(ask(engine, bound(100), 50));
    expect(books(engine, 'b', 51)).toEqual([90, 110]);
    engine.remove('b');
    expect([ask(engine, bound(1000), 60), engine.active]).toEqual([null, false]);
  });
});

interface Open {
  hold: Hold;
  amount: number;
  hour: number;
  ids: string[];
}

/** The simplest thing that can be right: sums over everything that ever happened. */
class Oracle {
  readonly spent = new Map<string, number>();
  readonly open: Open[] = [];
  readonly limits: Readonly<Record<string, number>>;
  constructor(limits: Readonly<Record<string, number>>) {
    this.limits = limits;
  }
  slot = (id: string, hour: number): string => (id === 'total' ? id : `${id}@${hour}`);
  of(id: string, hour: number): [number, number] {
    const slot = this.slot(id, hour);
    const holds = this.open.filter((open) => open.ids.some((name) => this.slot(name, open.hour) === slot));
    return [this.spent.get(slot) ?? 0, holds.reduce((sum, { amount }) => sum + amount, 0)];
  }
  admits(ids: readonly string[], hour: number, amount: number): boolean {
    return ids.every((id) => {
      const [spent, waiting] = this.of(id, hour);
      return spent + waiting + amount <= (this.limits[id] ?? 0);
    });
  }
}

type Step =
  | { do: 'reserve'; amount: number; key: boolean }
  | { do: 'settle'; pick: number; share: number; twice: boolean }
  | { do: 'release'; pick: number }
  | { do: 'clock'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('reserve' as const),
    amount: fc.integer({ min: 1, max: 60 }),
    key: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('settle' as const),
    pick: fc.nat(),
    share: fc.integer({ min: 0, max: 100 }),
    twice: fc.boolean(),
  }),
  fc.record({ do: fc.constant('release' as const), pick: fc.nat() }),
  fc.record({ do: fc.constant('clock' as const), ms: fc.integer({ min: 0, max: 2 * HOUR }) }),
);

describe('against an oracle (X-02)', () => {
  it('admits what the oracle admits, its books are the oracle’s, and no window is ever overshot', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const limits = { hour: 100, key: 70, total: 400 };
        const engine = engineWith(
          budget('hour', { window: 'hour', limit: limits.hour }),
          budget('key', { window: 'hour', limit: limits.key, scope: [{ kind: 'key', value: 'k1' }] }),
          budget('total', { limit: limits.total }),
        );
        const oracle = new Oracle(limits);
        let nowMs = 0;
        const take = (pick: number): Open | undefined =>
          oracle.open.splice(oracle.open.length === 0 ? 0 : pick % oracle.open.length, 1)[0];
        for (const one of steps) {
          const hour = Math.floor(nowMs / HOUR);
          if (one.do === 'clock') nowMs += one.ms;
          else if (one.do === 'reserve') {
            const ids = one.key ? ['hour', 'key', 'total'] : ['hour', 'total'];
            const result = ask(engine, bound(one.amount), nowMs, { keyId: one.key ? 'k1' : 'k2' });
            const admitted = result !== null && 'hold' in result;
            expect(admitted).toBe(oracle.admits(ids, hour, one.amount));
            if (admitted) oracle.open.push({ hold: result.hold, amount: one.amount, hour, ids });
          } else {
            const open = take(one.pick);
            if (open === undefined) continue;
            if (one.do === 'release') {
              open.hold.release();
              continue;
            }
            const truth = Math.floor((open.amount * one.share) / 100);
            open.hold.settle(spent(truth, 0));
            if (one.twice) open.hold.settle(spent(truth, 0));
            for (const id of open.ids) {
              const slot = oracle.slot(id, open.hour);
              oracle.spent.set(slot, (oracle.spent.get(slot) ?? 0) + truth);
            }
          }
          const current = Math.floor(nowMs / HOUR);
          for (const id of ['hour', 'key', 'total'] as const) {
            const [spent, waiting] = oracle.of(id, current);
            expect(books(engine, id, nowMs)).toEqual([spent, waiting]);
            expect(spent + waiting).toBeLessThanOrEqual(limits[id]);
          }
          expect(await engine.holds()).toHaveLength(oracle.open.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('other measures', () => {
  it('weighted tokens are kept back and counted as weighted', () => {
    const engine = engineWith(budget('b', { measure: 'weighted_tokens', limit: 200 }));
    const hold = held(ask(engine, bound(10, 8)));
    expect(books(engine, 'b')).toEqual([0, 50]);
    hold.settle(spent(0, 9));
    expect(books(engine, 'b')).toEqual([18, 0]);
  });

  it('a provisional price keeps back, counts and refuses what has none; what has one costs that', () => {
    const policy = { unpriced: 'provisional', provisionalNanoUsdPerMtok: 2_000_000 } as const;
    const engine = engineWith(budget('b', { limit: 100, ...policy }));
    const unpriced = bound(30, 0, false);
    const hold = held(ask(engine, unpriced));
    expect(books(engine, 'b')).toEqual([0, 60]);
    expect(refusal(ask(engine, unpriced))?.reason).toBe('held');
    hold.settle({ ...spent(0, 21), unpricedTokens: 21 });
    expect(books(engine, 'b')).toEqual([42, 0]);
    held(ask(engine, bound(30))).settle(spent(30, 30));
    expect(books(engine, 'b')).toEqual([72, 0]);
    expect(refusal(ask(engine, unpriced))?.reason).toBe('spent');
  });
});
