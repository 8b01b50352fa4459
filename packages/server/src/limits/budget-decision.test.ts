import { describe, expect, it } from 'vitest';
import type { Budget, RequestScopes, UpperBound } from './budget.ts';
import { BudgetAccount } from './budget-account.ts';
import { clampedOutput, judge, unpricedRefusal } from './budget-decision.ts';
import { BudgetEngine } from './budget-engine.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const MIDNIGHT = Date.UTC(2026, 10, 23);
const EVER = Number.NEGATIVE_INFINITY;
const budget = (change: Partial<Budget> = {}): Budget => ({
  id: 'b',
  workspaceId: 'w',
  scope: [],
  measure: 'usd',
  limit: 100,
  window: 'day',
  windowMs: null,
  sliding: false,
  timeZone: 'UTC',
  mode: 'hard',
  unpriced: 'refuse',
  onOutage: 'closed',
  provisionalNanoUsdPerMtok: null,
  createdAtMs: 0,
  ...change,
});
/** An account with so much settled and so much held today. */
function account(change: Partial<Budget> = {}, settled = 0, held = 0): BudgetAccount {
  const made = new BudgetAccount(budget(change), NOON, EVER);
  Object.assign(made.windowFor(NOON), { settled, held });
  return made;
}
const upper = (outputTokens: number, minOutputTokens: number | null = 1): UpperBound => ({
  outputTokens,
  minOutputTokens,
  costNanoUsd: (output) => 10 + output,
  tokens: (output) => 1000 + output,
  weightedTokens: (output) => output,
});
const SUBJECT: RequestScopes = {
  workspaceId: 'w',
  keyId: 'k',
  userId: null,
  sessionId: null,
  projectId: 'p',
  model: 'm',
  provider: 'anthropic',
  accountId: null,
  tags: [],
};

describe('one budget and one amount (X-02)', () => {
  it('has room to the last unit, and none beyond', () => {
    expect(judge(account({}, 40, 10), 50, NOON)).toMatchObject({ amount: 50 });
    expect(judge(account({}, 40, 10), 51, NOON)).toMatchObject({ reason: 'held', needed: 51 });
  });

  it('says held only where the amount would fit without what is on its way', () => {
    const reason = (settled: number, held: number, needed: number) =>
      judge(account({}, settled, held), needed, NOON);
    expect(reason(50, 10, 50)).toMatchObject({ reason: 'held' });
    expect(reason(50, 10, 51)).toMatchObject({ reason: 'spent' });
    expect(reason(100, 0, 1)).toMatchObject({ reason: 'spent' });
    expect(judge(account({ limit: 0 }, 0, 0), 0, NOON)).toMatchObject({ reason: 'spent' });
  });

  it('tells when there is room: at the end of the window, or when enough has left one that slides', () => {
    expect(judge(account({}, 100), 1, NOON)).toMatchObject({ freeAtMs: MIDNIGHT });
    const sliding = account({ sliding: true }, 60);
    Object.assign(sliding.windowFor(NOON + 3_600_000), { settled: 40 });
    const at = NOON + 2 * 3_600_000;
    const [first, second] = [NOON, NOON + 3_600_000].map((ms) => ms + 25 * 3_600_000);
    // Sixty leave first: enough for sixty, not for one more.
    expect(judge(sliding, 60, at)).toMatchObject({ freeAtMs: first });
    expect(judge(sliding, 61, at)).toMatchObject({ freeAtMs: second });
  });

  it('without a price: refused, or let through while anything is left, as the budget says', () => {
    expect(judge(account(), null, NOON)).toMatchObject({ reason: 'unpriced', needed: null, freeAtMs: null });
    const lenient = { unpriced: 'allow' as const };
    expect(judge(account(lenient, 99), null, NOON)).toMatchObject({ amount: 0 });
    expect(judge(account(lenient, 100), null, NOON)).toMatchObject({ reason: 'spent' });
    expect(judge(account(lenient, 99, 1), null, NOON)).toMatchObject({ needed: null });
    const refused = unpricedRefusal(account({}, 7), account({}, 7).windowFor(NOON));
    expect(refused).toMatchObject({ reason: 'unpriced', window: { startMs: MIDNIGHT - 86_400_000 } });
  });

  it('soft lets everything through and keeps it back all the same', () => {
    expect(judge(account({ mode: 'soft' }, 500), 50, NOON)).toMatchObject({ amount: 50 });
    expect(judge(account({ mode: 'soft', limit: 0 }), 50, NOON)).toMatchObject({ amount: 50 });
  });
});

describe('how far a clamping budget lowers the answer', () => {
  const clamp = (change: Partial<Budget> = {}, settled = 0) => account({ mode: 'clamp', ...change }, settled);

  it('is to what is left, to the token', () => {
    for (const [settled, output] of [
      [0, 90],
      [1, 89],
      [40, 50],
      [88, 2],
      [89, 1],
    ] as const) {
      expect([settled, clampedOutput([clamp({}, settled)], upper(500), NOON)]).toEqual([settled, output]);
    }
    // It fits as it was asked.
    expect(clampedOutput([clamp()], upper(90), NOON)).toBe(90);
    expect(clampedOutput([clamp()], upper(7), NOON)).toBe(7);
  });

  it('is not at all where even the least would not fit, or the limit cannot be lowered: it is refused as asked', () => {
    expect(clampedOutput([clamp({}, 90)], upper(500), NOON)).toBe(500);
    expect(clampedOutput([clamp({}, 40)], upper(500, null), NOON)).toBe(500);
    expect(clampedOutput([clamp({}, 40)], upper(500, 51), NOON)).toBe(500);
    expect(clampedOutput([clamp({}, 40)], upper(500, 50), NOON)).toBe(50);
  });

  it('is by budgets that clamp alone, and never by those that count requests', () => {
    expect(clampedOutput([account({}, 40), account({ mode: 'soft' }, 99)], upper(500), NOON)).toBe(500);
    expect(clampedOutput([clamp({ measure: 'requests', limit: 0 })], upper(500), NOON)).toBe(500);
    expect(clampedOutput([clamp({ measure: 'tokens', limit: 1030 })], upper(500), NOON)).toBe(30);
    expect(clampedOutput([clamp({ measure: 'weighted_tokens', limit: 20 })], upper(500), NOON)).toBe(20);
  });

  it('is to the tightest of several', () => {
    expect(clampedOutput([clamp({}, 20), clamp({}, 60), clamp({}, 40)], upper(500), NOON)).toBe(30);
  });
});

describe('what is on its way', () => {
  const engineOf = (...budgets: Budget[]): BudgetEngine => {
    const engine = new BudgetEngine();
    for (const one of budgets) engine.add(one, { nowMs: NOON, countsFromMs: EVER });
    return engine;
  };
  const reserve = (engine: BudgetEngine, id: string, startedAtMs = NOON) => {
    const decision = engine.reserve({ id, startedAtMs, scopes: SUBJECT }, () => upper(10));
    if (decision === null || !('hold' in decision)) throw new Error('not admitted');
    return decision.hold;
  };

  it('is listed oldest first, whatever order it came in', async () => {
    const engine = engineOf(budget({ limit: 1000 }));
    for (const [id, at] of [
      ['b', 2],
      ['a', 1],
      ['c', 3],
    ] as const)
      reserve(engine, id, NOON + at);
    expect((await engine.holds()).map(({ requestId }) => requestId)).toEqual(['a', 'b', 'c']);
  });

  it('binds where one budget that refuses has an amount in it, beside any others', () => {
    const hard = budget({ id: 'hard', limit: 1000 });
    const soft = budget({ id: 'soft', mode: 'soft' });
    const counted = budget({ id: 'counted', measure: 'requests', limit: 1000 });
    const binding = (...budgets: Budget[]) => reserve(engineOf(...budgets), 'r').binding;
    expect([binding(hard), binding(soft), binding(counted), binding(soft, counted)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([binding(soft, hard), binding(counted, hard)]).toEqual([true, true]);
  });

  it('asks for the bound as soon as one budget needs it', () => {
    const counted = budget({ id: 'counted', measure: 'requests', limit: 1000 });
    let asked = 0;
    const bound = () => {
      asked++;
      return upper(10);
    };
    const ask = { id: 'r', startedAtMs: NOON, scopes: SUBJECT };
    engineOf(counted).reserve(ask, bound);
    expect(asked).toBe(0);
    engineOf(counted, budget({ limit: 1000 })).reserve(ask, bound);
    expect(asked).toBe(1);
  });

  it('tells which soft budgets it was let past: those that are beyond their limit with it, not those at it', () => {
    const past = (limit: number, mode: 'soft' | 'hard' = 'soft') =>
      reserve(engineOf(budget({ limit, mode })), 'r')
        .exceeded()
        .map(({ budget: { limit: most } }) => most);
    // It may come to twenty.
    expect([past(19), past(20), past(21), past(20, 'hard')]).toEqual([[19], [], [], []]);
  });

  it('tells how full the fullest budget is, in whatever order they are, and that one of nothing is full', () => {
    const half = budget({ id: 'half', limit: 40, measure: 'requests' });
    const most = budget({ id: 'most', limit: 1000 });
    const empty = budget({ id: 'empty', limit: 0, mode: 'soft', measure: 'requests' });
    const fullest = (...budgets: Budget[]) => {
      const engine = engineOf(...budgets);
      for (let i = 0; i < 20; i++)
        reserve(engine, `r${i}`).settle({ costNanoUsd: 45, tokens: 0, weightedTokens: 0, unpricedTokens: 0 });
      const found = reserve(engine, 'last').fullest();
      return [found?.account.budget.id, found?.ratio];
    };
    expect(fullest(half, most)).toEqual(['most', 0.9]);
    expect(fullest(most, half)).toEqual(['most', 0.9]);
    expect(fullest(half)).toEqual(['half', 0.5]);
    expect(reserve(engineOf(empty), 'r').fullest()?.ratio).toBe(1);
  });
});
