import { testBudget } from '@tallygate/testkit/limit-play';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalendarWindows, SlidingWindows, used, type WindowState } from './account-windows.ts';
import type { Budget } from './budget.ts';
import { amountOf, BudgetAccount, spendOf } from './budget-account.ts';
import {
  countedRange,
  countedWindows,
  SLIDING_SLICES,
  slidingMs,
  windowAt,
  windowsBefore,
} from './budget-window.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SLICE = HOUR;
const NOON = Date.UTC(2026, 10, 22, 12);
const budget = (change: Partial<Budget> = {}): Budget => testBudget('b', { window: 'day', ...change });
const sliding = (change: Partial<Budget> = {}) => budget({ sliding: true, ...change });

describe('windows of the calendar (X-02)', () => {
  it('begin anew at the end of the last, to the millisecond, and the last is still known', () => {
    const windows = new CalendarWindows(budget(), NOON);
    const today = windows.at(NOON);
    today.settled = 5;
    const midnight = Date.UTC(2026, 10, 23);
    expect(windows.at(midnight - 1)).toBe(today);
    const tomorrow = windows.at(midnight);
    expect([tomorrow.startMs, tomorrow.endMs, used(tomorrow), tomorrow.held]).toEqual([
      midnight,
      midnight + DAY,
      0,
      0,
    ]);
    // A request that began yesterday is filed there; one of before counts in the oldest at hand.
    expect(windows.at(midnight - 1)).toBe(today);
    expect(windows.at(NOON - 30 * DAY)).toBe(today);
    expect(windows.at(midnight)).toBe(tomorrow);
  });

  it('are known for what the ledger says only while they are at hand', () => {
    const windows = new CalendarWindows(budget(), NOON);
    const midnight = Date.UTC(2026, 10, 23);
    expect(windows.known(NOON)).toBe(windows.at(NOON));
    expect([windows.known(midnight), windows.known(NOON - DAY)]).toEqual([null, null]);
    windows.at(midnight);
    expect(windows.known(midnight - 1)).toBe(windows.at(midnight - 1));
    windows.at(midnight + DAY);
    expect(windows.known(NOON)).toBeNull();
  });

  it('are free at their end, a total never', () => {
    const windows = new CalendarWindows(budget(), NOON);
    expect(windows.freeAtMs(windows.at(NOON))).toBe(Date.UTC(2026, 10, 23));
    const total = new CalendarWindows(budget({ window: 'total' }), NOON);
    expect(total.freeAtMs(total.at(NOON))).toBeNull();
    expect(total.at(NOON + 5000 * DAY)).toBe(total.at(NOON));
  });

  it('take over from a shared state what counts, in the place of what was known here', () => {
    const windows = new CalendarWindows(budget(), NOON);
    const window = windows.at(NOON);
    Object.assign(window, { settled: 1, before: 2, held: 3 });
    windows.take(window, 40, 5);
    expect([window.settled, window.before, window.held]).toEqual([40, 0, 5]);
    expect(windows.startsFor(window)).toEqual([window.startMs]);
    expect(windows.standing(window)).toBe(window);
  });
});

describe('windows that slide (X-02)', () => {
  it('count an amount for the whole length and up to a slice longer', () => {
    for (const offset of [0, 1, SLICE - 1]) {
      const windows = new SlidingWindows(sliding());
      windows.at(NOON + offset).settled = 7;
      const usedAt = (ms: number) => used(windows.standing(windows.at(ms)));
      expect(usedAt(NOON + offset + DAY)).toBe(7);
      expect(usedAt(NOON + DAY + SLICE - 1)).toBe(7);
      expect(usedAt(NOON + DAY + SLICE)).toBe(0);
    }
  });

  it('tell everything that counts, settled, before and held, and when the last of it leaves', () => {
    const windows = new SlidingWindows(sliding());
    Object.assign(windows.at(NOON), { settled: 1, before: 2, held: 3 });
    Object.assign(windows.at(NOON + 2 * SLICE), { settled: 10, before: 20, held: 30 });
    windows.at(NOON + 3 * SLICE);
    const now = windows.standing(windows.at(NOON + 3 * SLICE));
    expect([now.settled, now.before, now.held]).toEqual([11, 22, 33]);
    expect(now.endMs).toBe(NOON + 3 * SLICE + DAY);
    const empty = new SlidingWindows(sliding());
    const alone = empty.standing(empty.at(NOON));
    expect([alone.startMs, alone.endMs]).toEqual([NOON - DAY, NOON + SLICE]);
  });

  it('judge a late request by its own length, and what came after it as well', () => {
    const windows = new SlidingWindows(sliding());
    windows.at(NOON).settled = 1;
    windows.at(NOON + 12 * SLICE).settled = 10;
    const late = windows.at(NOON + SLICE);
    expect(late.startMs).toBe(NOON + SLICE);
    expect(used(windows.standing(late))).toBe(11);
  });

  it('keep as many slices as two lengths have, and count what is older in the oldest of them', () => {
    const windows = new SlidingWindows(sliding());
    const kept = 2 * (SLIDING_SLICES + 1);
    windows.at(NOON).before = 5;
    for (let i = 1; i < kept; i++) windows.at(NOON + i * SLICE);
    expect(windows.known(NOON)?.before).toBe(5);
    expect(windows.known(NOON - 1)).toBeNull();
    expect(windows.at(NOON - 1).before).toBe(5);
    windows.at(NOON + kept * SLICE);
    expect(windows.known(NOON)).toBeNull();
    expect(windows.at(NOON).startMs).toBe(NOON + SLICE);
  });

  it('say when so much will have left: with the slice that makes it enough, never for what is held', () => {
    const windows = new SlidingWindows(sliding());
    windows.at(NOON).settled = 5;
    windows.at(NOON + 2 * SLICE).settled = 5;
    windows.at(NOON + 3 * SLICE).held = 50;
    const window = windows.at(NOON + 3 * SLICE);
    expect(windows.freeAtMs(window, 1)).toBe(NOON + SLICE + DAY);
    expect(windows.freeAtMs(window, 5)).toBe(NOON + SLICE + DAY);
    expect(windows.freeAtMs(window, 6)).toBe(NOON + 3 * SLICE + DAY);
    // More than there is: when all of it has left.
    expect(windows.freeAtMs(window, 999)).toBe(NOON + 3 * SLICE + DAY);
    expect(new SlidingWindows(sliding()).freeAtMs(window, 1)).toBeNull();
  });

  it('name every slice that a shared state has to sum, and one more', () => {
    const windows = new SlidingWindows(sliding());
    const window = windows.at(NOON);
    const starts = windows.startsFor(window);
    expect([starts[0], starts.at(-1), starts.length]).toEqual([NOON - DAY, NOON + SLICE, SLIDING_SLICES + 2]);
    windows.at(NOON + 3 * SLICE);
    expect(windows.startsFor(window).at(-1)).toBe(NOON + 4 * SLICE);
  });

  it('take over all from a shared state into the slice at hand, and count nothing twice', () => {
    const windows = new SlidingWindows(sliding());
    Object.assign(windows.at(NOON - SLICE), { settled: 1, before: 2, held: 3 });
    const window = windows.at(NOON);
    windows.take(window, 40, 5);
    const now = windows.standing(window);
    expect([used(now), now.held]).toEqual([40, 5]);
  });

  it('file by the same slices on every node, whenever the budget was made', () => {
    for (const createdAtMs of [0, 1, NOON - 17]) {
      expect(windowAt(NOON + 5, sliding({ createdAtMs }))).toEqual({ startMs: NOON, endMs: NOON + SLICE });
    }
    const five = sliding({ window: 'custom', windowMs: 5 * HOUR, createdAtMs: 123 });
    expect(slidingMs(five)).toBe(5 * HOUR);
    expect(windowAt(NOON, five).startMs % ((5 * HOUR) / SLIDING_SLICES)).toBe(0);
    expect(
      [sliding({ window: 'hour' }), sliding({ window: 'week' }), sliding({ window: 'month' })].map(slidingMs),
    ).toEqual([HOUR, 7 * DAY, 30 * DAY]);
  });

  it('count the same stretch whether asked for its slices or as one', () => {
    const rule = fc.record({
      window: fc.constantFrom('hour' as const, 'day' as const, 'week' as const, 'month' as const),
      atMs: fc.integer({ min: NOON - 400 * DAY, max: NOON + 400 * DAY }),
      isSliding: fc.boolean(),
    });
    fc.assert(
      fc.property(rule, ({ window, atMs, isSliding }) => {
        const of = budget({ window, sliding: isSliding });
        const slices = countedWindows(atMs, of);
        const range = countedRange(atMs, of);
        expect([slices[0]?.startMs, slices.at(-1)?.endMs]).toEqual([range.startMs, range.endMs]);
        for (const [i, { endMs }] of slices.slice(0, -1).entries())
          expect(slices[i + 1]?.startMs).toBe(endMs);
        expect(slices.length).toBe(isSliding ? SLIDING_SLICES + 1 : 1);
        expect(range.startMs <= atMs && atMs < range.endMs).toBe(true);
        if (isSliding) expect(atMs - range.startMs).toBeGreaterThanOrEqual(slidingMs(of));
        const [first, second] = windowsBefore(windowAt(atMs, of), of, 2);
        expect(first?.endMs).toBe(windowAt(atMs, of).startMs);
        expect(second?.endMs).toBe(first?.startMs);
        if (isSliding && first) expect(first.endMs - first.startMs).toBe(slidingMs(of));
      }),
    );
  });

  it('in no stretch of the length does more start than the limit, whatever the steps of time (property)', () => {
    const step = fc.tuple(fc.oneof(fc.nat(2 * HOUR), fc.nat(10 * HOUR)), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const account = new BudgetAccount(sliding(), NOON, Number.NEGATIVE_INFINITY);
        const started: { atMs: number; amount: number }[] = [];
        let now = NOON;
        for (const [afterMs, amount] of steps) {
          now += afterMs;
          const window = account.windowFor(now);
          if (amount > account.left(window)) {
            const over = amount - account.left(window);
            const freeAtMs = account.freeAtMs(window, over);
            if (freeAtMs !== null) expect(freeAtMs).toBeGreaterThan(now);
            continue;
          }
          window.settled += amount;
          started.push({ atMs: now, amount });
        }
        for (const [i, { atMs }] of started.entries()) {
          const inLength = started.slice(i).filter((one) => one.atMs - atMs < DAY);
          expect(inLength.reduce((sum, one) => sum + one.amount, 0)).toBeLessThanOrEqual(100);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what a request is to a budget', () => {
  const upper = {
    outputTokens: 10,
    minOutputTokens: null,
    costNanoUsd: (output: number) => 1000 + output,
    tokens: (output: number) => 200 + output,
    weightedTokens: (output: number) => 300 + 5 * output,
  };
  const unpriced = { ...upper, costNanoUsd: () => null };
  const spend = { costNanoUsd: 700, tokens: 60, weightedTokens: 90, unpricedTokens: 40 };

  it.each([
    ['usd', 1010, 700],
    ['tokens', 210, 60],
    ['weighted_tokens', 350, 90],
    ['requests', 1, 1],
  ] as const)('in %s: at most %i, in the end %i', (measure, most, came) => {
    expect(amountOf(budget({ measure }), upper, 10)).toBe(most);
    expect(spendOf(budget({ measure }), spend)).toBe(came);
  });

  it('counts several requests of the ledger as so many', () => {
    expect(spendOf(budget({ measure: 'requests' }), spend, 12)).toBe(12);
    expect(spendOf(budget({ measure: 'tokens' }), spend, 12)).toBe(60);
  });

  it('without a price is nothing that can be kept back, unless the budget has one for it: rounded up', () => {
    const own = { unpriced: 'provisional', provisionalNanoUsdPerMtok: 15 } as const;
    expect(amountOf(budget(), unpriced, 10)).toBeNull();
    expect(amountOf(budget({ ...own, unpriced: 'refuse' }), unpriced, 10)).toBeNull();
    expect(amountOf(budget({ ...own, provisionalNanoUsdPerMtok: null }), unpriced, 10)).toBeNull();
    expect(amountOf(budget(own), unpriced, 10)).toBe(1);
    expect(amountOf(budget({ ...own, provisionalNanoUsdPerMtok: 1_000_000 }), unpriced, 10)).toBe(210);
    expect(amountOf(budget({ ...own, provisionalNanoUsdPerMtok: 5_000_000_000 }), upper, 10)).toBe(1010);
    expect(spendOf(budget({ ...own, provisionalNanoUsdPerMtok: 1_000_000 }), spend)).toBe(700 + 40);
    expect(spendOf(budget(), spend)).toBe(700);
    // An absurd one stays a whole number.
    const absurd = budget({ ...own, provisionalNanoUsdPerMtok: Number.MAX_SAFE_INTEGER });
    expect(amountOf(absurd, { ...unpriced, tokens: () => 1e9 }, 1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('takes over from the ledger only what is still kept', () => {
    const account = new BudgetAccount(budget(), NOON, NOON);
    account.setBefore(NOON, 30);
    account.setBefore(NOON - 9 * DAY, 999);
    expect(account.left(account.windowFor(NOON))).toBe(70);
    const window: WindowState = account.windowFor(NOON);
    window.held = 20;
    window.settled = 10;
    expect(account.left(window)).toBe(40);
    account.setBefore(NOON, 0);
    expect(account.left(window)).toBe(70);
  });
});
