import { NOW, scopesOf, testBudget } from '@tallygate/testkit/limit-play';
import { costs } from '@tallygate/testkit/shared-books-world';
import { describe, expect, it } from 'vitest';
import type { Budget, UpperBound } from '../budget.ts';
import { BudgetAccount } from '../budget-account.ts';
import { SLIDING_SLICES, slidingMs } from '../budget-window.ts';
import { windowName } from './hold-text.ts';
import { forgetAt, Question } from './question.ts';

const HOUR_MS = 3_600_000;
const EIGHT_DAYS_MS = 8 * 86_400_000;
const HOUR_START = Math.floor(NOW / HOUR_MS) * HOUR_MS;
const ask = { id: 'r', startedAtMs: NOW, scopes: scopesOf('p') };

const account = (change: Partial<Budget>): BudgetAccount =>
  new BudgetAccount(testBudget('b', { window: 'hour', ...change }), NOW, 0);
const question = (accounts: readonly BudgetAccount[], upper: UpperBound = costs(30)): Question =>
  new Question(ask, accounts, upper);
const unpriced: UpperBound = { ...costs(30), costNanoUsd: () => null };
/** One for each output token beside thirty. */
const perToken: UpperBound = {
  ...costs(30),
  ...{ outputTokens: 50, minOutputTokens: 1 },
  costNanoUsd: (tokens) => 30 + tokens,
};

describe('what a request asks of budgets that nodes share (X-02)', () => {
  it('amount, limit, mode, windows and where it is filed, part by part', () => {
    const parts = [
      account({}),
      account({ id: 's', mode: 'soft', limit: 7 }),
      account({ id: 't', window: 'total', createdAtMs: 5, measure: 'requests' }),
    ];
    const asked = question(parts);
    const forget = String(HOUR_START + HOUR_MS + EIGHT_DAYS_MS);
    expect(asked.names).toEqual([`b:${HOUR_START}`, `s:${HOUR_START}`, 't:5']);
    expect(asked.arguments(() => HOUR_START + 1)).toEqual([
      ...['30', '100', 'h', '1', forget, '1', '1', NOW < HOUR_START + 1 ? '1' : '0'],
      ...['30', '7', 's', '1', forget, '1', '1', NOW < HOUR_START + 1 ? '1' : '0'],
      ...['1', '100', 'h', '1', '0', '1', '1', NOW < HOUR_START + 1 ? '1' : '0'],
    ]);
  });

  it("the ledger's sum has to be there for windows that begin before it ends, and such a request is told as older", () => {
    const flags = (untilMs: number) => {
      const [, , , before, , , , older] = question([account({})]).arguments(() => untilMs);
      return [before, older];
    };
    expect(flags(HOUR_START)).toEqual(['0', '0']);
    expect(flags(NOW)).toEqual([NOW > HOUR_START ? '1' : '0', '0']);
    expect(flags(NOW + 1)).toEqual(['1', '1']);
  });

  it('of one that slides all slices count, it is filed in its own, and only the older ones need the ledger', () => {
    const slides = account({ sliding: true });
    const sliceMs = HOUR_MS / SLIDING_SLICES;
    const filedMs = Math.floor(NOW / sliceMs) * sliceMs;
    const asked = question([slides]);
    const [, , , before, forget, count, filed] = asked.arguments(() => filedMs - sliceMs);
    expect(Number(count)).toBe(asked.names.length);
    expect(asked.names[Number(filed) - 1]).toBe(windowName('b', filedMs));
    expect(asked.names[0]).toBe(windowName('b', filedMs - HOUR_MS));
    expect(Number(before)).toBe(SLIDING_SLICES - 1);
    expect(forget).toBe(String(filedMs + sliceMs + HOUR_MS + EIGHT_DAYS_MS));
  });

  it('what slides is told when the slice leaves that Redis named, at its own length; 0 names none', () => {
    const budget = { sliding: true, window: 'custom', windowMs: 20 * HOUR_MS } as const;
    const asked = question([account({}), account({ id: 's', ...budget })], costs(200));
    const sliceMs = slidingMs(budget) / SLIDING_SLICES;
    const third = Number(asked.names[3]?.split(':')[1]); // one of the first part, two before it
    expect(asked.refusalOf(1, 3)).toMatchObject({
      ...{ reason: 'spent', needed: 200, freeAtMs: third + sliceMs + slidingMs(budget) },
      account: { budget: { id: 's' } },
    });
    expect(asked.refusalOf(1, 0)?.freeAtMs).toBeNull();
    expect(asked.refusalOf(0, 0)?.freeAtMs).toBe(HOUR_START + HOUR_MS);
    expect(asked.refusalOf(2, 0)).toBeNull();
  });

  it('without a price nobody is asked where that refuses; elsewhere it keeps nothing back and looks whether there is room', () => {
    expect(
      question([account({ unpriced: 'allow' }), account({ id: 'r' })], unpriced).unpriced(),
    ).toMatchObject({
      ...{ reason: 'unpriced', account: { budget: { id: 'r' } }, needed: null },
    });
    const allowed = question(
      [account({ unpriced: 'allow' }), account({ id: 's', mode: 'soft', unpriced: 'allow' })],
      unpriced,
    );
    expect(allowed.unpriced()).toBeNull();
    const told = allowed.arguments(() => 0);
    expect([told[0], told[2], told[8], told[10]]).toEqual(['0', 'u', '0', 's']);
    expect(question([account({ measure: 'tokens' })], unpriced).unpriced()).toBeNull();
  });

  it('is asked with less output as long as that becomes less, by what the windows are known to hold', () => {
    const clamps = account({ mode: 'clamp' });
    const asked = question([clamps, account({ id: 'hard', limit: 1_000 })], perToken);
    expect([asked.outputTokens, asked.clampedTo]).toEqual([50, null]);
    expect(asked.reckon()).toBe(false);
    clamps.take(clamps.windowFor(NOW), 60, 0);
    expect(asked.reckon()).toBe(true);
    expect([asked.clampedTo, asked.parts.map(({ amount }) => amount)]).toEqual([10, [40, 40]]);
    expect(asked.reckon()).toBe(false);
    clamps.take(clamps.windowFor(NOW), 50, 0);
    expect([asked.reckon(), asked.clampedTo]).toEqual([false, 20]);
  });

  it('a window is remembered as long as it counts and eight days more, a total one for ever', () => {
    const window = { endMs: 1_000 };
    expect(forgetAt(testBudget('b', { window: 'hour' }), window)).toBe(String(1_000 + EIGHT_DAYS_MS));
    expect(forgetAt(testBudget('b', { window: 'day', sliding: true }), window)).toBe(
      String(1_000 + 24 * HOUR_MS + EIGHT_DAYS_MS),
    );
    expect(forgetAt(testBudget('b'), { endMs: Number.POSITIVE_INFINITY })).toBe('0');
  });
});
