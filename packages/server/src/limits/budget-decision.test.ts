import { testBudget } from '@tallygate/testkit/limit-play';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Budget, UpperBound } from './budget.ts';
import { amountOf, BudgetAccount } from './budget-account.ts';
import { clampedOutput, judge, refusalOf } from './budget-decision.ts';
import { Hold } from './budget-hold.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const DAY = 86_400_000;
const budget = (change: Partial<Budget> = {}): Budget => testBudget('b', { window: 'day', ...change });
/** A budget of which so much is spent and so much held. */
function account(change: Partial<Budget>, settled = 0, held = 0): BudgetAccount {
  const made = new BudgetAccount(budget(change), NOON, 0);
  Object.assign(made.windowFor(NOON), { settled, held });
  return made;
}
interface Price {
  fixed: number;
  each: number;
  priced: boolean;
}
const bound = ({ fixed, each, priced }: Price, outputTokens: number, min: number | null): UpperBound => ({
  outputTokens,
  minOutputTokens: min,
  costNanoUsd: (output) => (priced ? fixed + output * each : null),
  tokens: (output) => 7 + output,
  weightedTokens: (output) => 7 + 5 * output,
});

const anyAccount = fc
  .record({
    measure: fc.constantFrom('usd', 'tokens', 'weighted_tokens', 'requests'),
    mode: fc.constantFrom('hard', 'soft', 'clamp'),
    limit: fc.nat(400),
    settled: fc.nat(200),
    held: fc.nat(100),
    unpriced: fc.constantFrom('refuse', 'allow', 'provisional'),
    sliding: fc.boolean(),
  } as const)
  .map(({ settled, held, ...change }) =>
    account({ ...change, provisionalNanoUsdPerMtok: 3_000_000 } as Partial<Budget>, settled, held),
  );
const anyPrice = fc.record({ fixed: fc.nat(60), each: fc.nat(4), priced: fc.boolean() });

describe('the output limit that clamping budgets leave (X-02)', () => {
  it('is the largest under which every one of them has room, tried one by one (property)', () => {
    fc.assert(
      fc.property(
        fc.array(anyAccount, { minLength: 1, maxLength: 4 }),
        anyPrice,
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 20 }),
        (accounts, price, asked, least) => {
          const min = Math.min(least, asked);
          const upper = bound(price, asked, min);
          const clamping = accounts.filter(
            ({ budget: { mode, measure } }) => mode === 'clamp' && measure !== 'requests',
          );
          const fits = (output: number): boolean =>
            clamping.every(
              (one) => (amountOf(one.budget, upper, output) ?? 0) <= one.left(one.windowFor(NOON)),
            );
          let expected = asked;
          while (expected >= min && !fits(expected)) expected -= 1;
          expect(clampedOutput(accounts, upper, NOON)).toBe(expected < min ? asked : expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is what was asked for where it cannot be lowered', () => {
    const empty = account({ mode: 'clamp' }, 100);
    expect(clampedOutput([empty], bound({ fixed: 1, each: 1, priced: true }, 50, null), NOON)).toBe(50);
  });

  it('is never lowered by a budget of requests, nor by one that does not clamp', () => {
    const accounts = [account({ mode: 'clamp', measure: 'requests', limit: 1 }, 1), account({}, 100)];
    expect(clampedOutput(accounts, bound({ fixed: 1, each: 1, priced: true }, 50, 1), NOON)).toBe(50);
  });
});

describe('whether there is room (X-02)', () => {
  it('is a matter of what is left, to the unit, and 0 lets nothing through (property)', () => {
    fc.assert(
      fc.property(anyAccount, fc.nat(300), (one, needed) => {
        const { limit, mode } = one.budget;
        const { settled, held } = one.windowFor(NOON);
        const verdict = judge(one, needed, NOON);
        const fits = limit > 0 && settled + held + needed <= limit;
        expect('reason' in verdict).toBe(!fits && mode !== 'soft');
        if ('reason' in verdict) {
          // Held: it will fit once those on their way have come to nothing. Else waiting for them is of no use.
          expect(verdict.reason).toBe(limit > 0 && settled + needed <= limit ? 'held' : 'spent');
          expect(verdict.needed).toBe(needed);
        } else expect([verdict.amount, verdict.account]).toEqual([needed, one]);
      }),
      { numRuns: 400 },
    );
  });

  it('without a price: refused by one that refuses, let through by the others while anything is left', () => {
    expect(judge(account({ unpriced: 'refuse' }), null, NOON)).toMatchObject({
      reason: 'unpriced',
      freeAtMs: null,
    });
    expect(judge(account({ unpriced: 'allow' }, 99), null, NOON)).toMatchObject({ amount: 0 });
    expect(judge(account({ unpriced: 'allow' }, 100), null, NOON)).toMatchObject({ reason: 'spent' });
    expect(judge(account({ unpriced: 'allow', mode: 'soft' }, 100), null, NOON)).toMatchObject({ amount: 0 });
    expect(judge(account({ unpriced: 'allow' }, 50, 50), null, NOON)).toMatchObject({ reason: 'spent' });
  });

  it('tells when there will be: at midnight, when enough has left a sliding window, never in a total', () => {
    expect(judge(account({}, 100), 1, NOON)).toMatchObject({ freeAtMs: NOON + DAY / 2 });
    expect(judge(account({ window: 'total' }, 100), 1, NOON)).toMatchObject({ freeAtMs: null });
    const sliding = account({ sliding: true }, 60);
    sliding.windowFor(NOON + 2 * 3_600_000).settled = 40;
    const at = NOON + 3 * 3_600_000;
    expect(judge(sliding, 60, at)).toMatchObject({ freeAtMs: NOON + DAY + 3_600_000 });
    expect(judge(sliding, 61, at)).toMatchObject({ freeAtMs: NOON + DAY + 3 * 3_600_000 });
  });

  it('takes the time from whoever knows better', () => {
    const one = account({}, 100);
    const window = one.windowFor(NOON);
    expect(refusalOf(one, { window, standing: window, freeAtMs: 5 }, 1).freeAtMs).toBe(5);
    expect(refusalOf(one, { window, standing: window, freeAtMs: null }, 1).freeAtMs).toBeNull();
  });
});

describe('what a hold says', () => {
  const hold = (...accounts: BudgetAccount[]): Hold =>
    new Hold(
      { id: 'r', startedAtMs: NOON, clampedTo: null },
      accounts.map((one) => ({ account: one, window: one.windowFor(NOON), amount: 1 })),
      { ended: () => undefined },
    );

  it('is of the fullest budget by what is spent; one of nothing is full, and none is none', () => {
    const half = account({ id: 'half' }, 50);
    expect(hold(account({}, 10, 90), half).fullest()).toMatchObject({ account: half, ratio: 0.5 });
    expect(hold(half, account({ id: 'nothing', limit: 0, mode: 'soft' })).fullest()).toMatchObject({
      ratio: 1,
    });
    expect(hold().fullest()).toBeNull();
  });

  it('names the soft budgets that are over, and no others', () => {
    const over = account({ id: 'over', mode: 'soft' }, 90, 11);
    const exact = account({ id: 'exact', mode: 'soft' }, 90, 10);
    expect(hold(over, exact, account({ id: 'hard' }, 90, 11)).exceeded()).toEqual([over]);
  });

  it('binds where a budget that refuses counts money or tokens', () => {
    expect(hold(account({})).binding).toBe(true);
    expect(hold(account({ mode: 'soft' }), account({ measure: 'requests' })).binding).toBe(false);
    expect(hold().binding).toBe(false);
  });
});
