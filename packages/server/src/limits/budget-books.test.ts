import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { used } from './account-windows.ts';
import type { Budget, UpperBound } from './budget.ts';
import { BudgetEngine } from './budget-engine.ts';
import type { Hold } from './budget-hold.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 2, 28, 12); // the day before clocks change in Europe
const SUBJECT = {
  workspaceId: 'w',
  keyId: 'k',
  userId: 'u',
  sessionId: 's',
  projectId: 'p',
  model: 'm',
  provider: 'anthropic',
  accountId: 'a',
  tags: [],
};
const budget = (id: string, change: Partial<Budget>): Budget => ({
  id,
  workspaceId: 'w',
  scope: [],
  measure: 'usd',
  limit: 100,
  window: 'day',
  windowMs: null,
  sliding: false,
  timeZone: 'Europe/Berlin',
  mode: 'hard',
  unpriced: 'refuse',
  onOutage: 'closed',
  provisionalNanoUsdPerMtok: null,
  createdAtMs: NOON,
  ...change,
});
const flat = (cost: number): UpperBound => ({
  outputTokens: 0,
  minOutputTokens: null,
  costNanoUsd: () => cost,
  tokens: () => cost,
  weightedTokens: () => cost,
});
const spend = (amount: number) => ({
  costNanoUsd: amount,
  tokens: amount,
  weightedTokens: amount,
  unpricedTokens: 0,
});

/** What happens to a gate: a request comes, another account is tried for one, one ends, one is not sent. */
const step = fc.oneof(
  fc.record({ what: fc.constant('ask' as const), amount: fc.nat(60), agoMs: fc.nat(2 * HOUR) }),
  fc.record({ what: fc.constant('again' as const), amount: fc.nat(60), which: fc.nat(20) }),
  fc.record({
    what: fc.constant('settle' as const),
    share: fc.integer({ min: 0, max: 100 }),
    which: fc.nat(20),
  }),
  fc.record({ what: fc.constant('release' as const), which: fc.nat(20) }),
  fc.record({ what: fc.constant('wait' as const), forMs: fc.nat(9 * HOUR) }),
);
const shapes = fc.constantFrom<Partial<Budget>>(
  {},
  { window: 'hour' },
  { window: 'total' },
  { window: 'week' },
  { sliding: true },
  { sliding: true, window: 'custom', windowMs: 5 * HOUR },
  { window: 'custom', windowMs: 7_777_777 },
  { measure: 'tokens', window: 'month' },
);

interface Open {
  hold: Hold;
  amount: number;
  startedAtMs: number;
}

/** Plays steps against an engine and keeps the books apart, by the plainest means there are. */
class Game {
  readonly engine = new BudgetEngine();
  readonly open: Open[] = [];
  readonly settled: { startedAtMs: number; amount: number }[] = [];
  nowMs = NOON;
  #ids = 0;

  constructor(budgets: readonly Budget[]) {
    for (const one of budgets) this.engine.add(one, { nowMs: NOON, countsFromMs: Number.NEGATIVE_INFINITY });
  }

  ask(amount: number, startedAtMs: number, replaces: Open | null = null): void {
    const decision = this.engine.reserve(
      { id: `r${this.#ids++}`, startedAtMs, scopes: SUBJECT, replaces: replaces?.hold ?? null },
      () => flat(amount),
    );
    if (decision === null || 'refusal' in decision) return;
    if (replaces) this.open.splice(this.open.indexOf(replaces), 1);
    this.open.push({ hold: decision.hold, amount, startedAtMs });
  }

  play(one: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    if (one.what === 'wait') this.nowMs += one.forMs;
    else if (one.what === 'ask') this.ask(one.amount, Math.max(NOON, this.nowMs - one.agoMs));
    else {
      const chosen = this.open[one.which % Math.max(1, this.open.length)];
      if (!chosen) return;
      if (one.what === 'again') return this.ask(one.amount, chosen.startedAtMs, chosen);
      this.open.splice(this.open.indexOf(chosen), 1);
      if (one.what === 'release') chosen.hold.release();
      else {
        const amount = Math.floor((chosen.amount * one.share) / 100);
        chosen.hold.settle(spend(amount));
        this.settled.push({ startedAtMs: chosen.startedAtMs, amount });
      }
      // Whoever ends it a second time changes nothing.
      chosen.hold.settle(spend(1_000));
      chosen.hold.release();
    }
  }
}

describe('the books of budgets, whatever happens (X-02)', () => {
  it('hold what is on its way and nothing else, and never more than the limit (property)', () => {
    fc.assert(
      fc.property(
        fc.array(shapes, { minLength: 1, maxLength: 3 }),
        fc.array(step, { maxLength: 60 }),
        (of, steps) => {
          const budgets = of.map((shape, i) => budget(`b${i}`, shape));
          const game = new Game(budgets);
          for (const one of steps) {
            game.play(one);
            for (const { id, limit } of budgets) {
              const window = game.engine.status(id, game.nowMs)?.window;
              expect(window?.held).toBeGreaterThanOrEqual(0);
              expect((window ? used(window) : 0) + (window?.held ?? 0)).toBeLessThanOrEqual(limit);
            }
          }
          for (const { hold } of game.open.splice(0)) hold.release();
          for (const { id } of budgets) expect(game.engine.status(id, game.nowMs)?.window.held).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('have spent what was settled, by when it started: to the unit in a total (property)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const game = new Game([budget('total', { window: 'total', limit: 500 })]);
        for (const one of steps) game.play(one);
        const window = game.engine.status('total', game.nowMs)?.window;
        expect(window?.settled).toBe(game.settled.reduce((sum, { amount }) => sum + amount, 0));
        expect(window?.held).toBe(game.open.reduce((sum, { amount }) => sum + amount, 0));
      }),
    );
  });

  it('list every hold once, oldest first, with what each budget keeps back (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const game = new Game([budget('a', { window: 'total' }), budget('b', { sliding: true })]);
        for (const one of steps) game.play(one);
        const listed = await game.engine.holds();
        expect(listed.map(({ requestId }) => requestId).sort()).toEqual(
          game.open.map(({ hold }) => hold.requestId).sort(),
        );
        const starts = listed.map(({ startedAtMs }) => startedAtMs);
        expect(starts).toEqual([...starts].sort((x, y) => x - y));
        for (const { parts } of listed) expect(parts.map(({ budgetId }) => budgetId)).toEqual(['a', 'b']);
      }),
    );
  });

  it('of a day that has 23 hours begin anew at its midnight, and of one that slides 24 hours later', () => {
    const game = new Game([budget('day', { limit: 10 }), budget('slides', { sliding: true, limit: 10 })]);
    const room = (id: string, atMs: number): number => {
      const window = game.engine.status(id, atMs)?.window;
      return 10 - (window ? used(window) : 0);
    };
    const evening = Date.UTC(2026, 2, 29, 21, 59); // 23:59 in Berlin
    game.ask(10, evening);
    game.open[0]?.hold.settle(spend(10));
    expect([room('day', evening), room('slides', evening)]).toEqual([0, 0]);
    const midnight = evening + 60_000;
    expect([room('day', midnight - 1), room('day', midnight)]).toEqual([0, 10]);
    expect([room('slides', evening + DAY), room('slides', evening + DAY + HOUR)]).toEqual([0, 10]);
  });

  it('keep their place when what they allow changes, also to less than is spent', () => {
    const game = new Game([budget('b', {})]);
    game.ask(60, NOON);
    game.open[0]?.hold.settle(spend(60));
    game.engine.update('b', { limit: 50 });
    game.ask(0, NOON);
    expect(game.open).toHaveLength(1); // the first, which has ended: nothing more fits
    game.engine.update('b', { limit: 61 });
    game.ask(1, NOON);
    game.ask(1, NOON);
    expect(game.open).toHaveLength(2);
    game.engine.update('nobody', { limit: 1 });
    expect(game.engine.has('nobody')).toBe(false);
  });

  it('a request that is on its way when its budget goes settles without it, and the others count it', () => {
    const game = new Game([budget('stays', {}), budget('goes', {})]);
    game.ask(30, NOON);
    game.engine.keepOnly(new Set(['stays']));
    game.open[0]?.hold.settle(spend(20));
    expect(game.engine.status('goes', NOON)).toBeNull();
    expect(game.engine.status('stays', NOON)?.window).toMatchObject({ settled: 20, held: 0 });
    expect(game.engine.active).toBe(true);
    game.engine.remove('stays');
    expect(game.engine.active).toBe(false);
  });
});
