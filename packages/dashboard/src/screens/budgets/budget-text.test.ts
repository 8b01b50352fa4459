import { fakeBudget } from '@tallygate/testkit/fake-admin-money';
import { describe, expect, it } from 'vitest';
import { allowanceText, anewText, forecast, shares } from './budget-text.ts';

const NOW = Date.UTC(2026, 10, 15, 12);
const DAY = 86_400_000;
const status = (change: Partial<ReturnType<typeof fakeBudget>['status']>) => ({
  status: { ...fakeBudget('b', NOW).status, ...change },
});

describe('what becomes of a budget at this pace', () => {
  it('lasts, and to what share', () => {
    expect(forecast(fakeBudget('b', NOW), NOW)).toEqual({ kind: 'lasts', ratio: 0.5 });
  });

  it('is gone before it starts anew, and when', () => {
    const outlook = forecast(fakeBudget('b', NOW, status({ spent: '40' })), NOW);
    expect(outlook).toEqual({ kind: 'gone', atMs: NOW + (15 / 4) * DAY });
  });

  it('says nothing without a pace, right after a start, or when it is used up', () => {
    for (const change of [
      { spent: '0' },
      { spent: '50' },
      { windowStart: new Date(NOW - 60_000).toISOString() },
    ])
      expect(forecast(fakeBudget('b', NOW, status(change)), NOW)).toBeNull();
    expect(forecast(fakeBudget('b', NOW, { limitUsd: '0' }), NOW)).toBeNull();
    expect(forecast(fakeBudget('b', NOW, { sliding: true, ...status({ spent: '45' }) }), NOW)).toBeNull();
  });

  it('without an end looks a month ahead', () => {
    const total = (spent: string) =>
      fakeBudget('b', NOW, { window: 'total', ...status({ spent, resetsAt: null }) });
    expect(forecast(total('10'), NOW)?.kind).toBe('lasts');
    expect(forecast(total('25'), NOW)?.kind).toBe('gone');
  });
});

describe('a gauge', () => {
  it('never shows more than the limit, and a limit of zero as full', () => {
    expect(shares(fakeBudget('b', NOW))).toEqual({ spent: 0.25, held: 0.015 });
    expect(shares(fakeBudget('b', NOW, status({ spent: '49', held: '40' })))).toEqual({
      spent: 0.98,
      held: 1 - 0.98,
    });
    expect(shares(fakeBudget('b', NOW, { limitUsd: '0' }))).toEqual({ spent: 1, held: 0 });
  });

  it('says what it allows in every measure and window', () => {
    expect(allowanceText(fakeBudget('b', NOW))).toBe('$50.00 a month');
    const tokens = { measure: 'weighted_tokens', limitUsd: null, limitWeightedTokens: 1_000_000 } as const;
    expect(allowanceText(fakeBudget('b', NOW, { ...tokens, window: 'custom', windowHours: 5 }))).toMatch(
      /^1\.00\sM weighted tokens every 5 hours$/,
    );
    expect(allowanceText(fakeBudget('b', NOW, { window: 'day', sliding: true }))).toBe(
      '$50.00 in any 24 hours',
    );
    const five = { window: 'custom', windowHours: 5, sliding: true } as const;
    expect(allowanceText(fakeBudget('b', NOW, five))).toBe('$50.00 in any 5 hours');
  });

  it('says when it starts anew, and of a sliding one when all of it has left', () => {
    const when = (at: string) => (at === fakeBudget('b', NOW).status.resetsAt ? 'then' : 'wrong');
    expect(anewText(fakeBudget('b', NOW), when)).toBe('Starts anew then.');
    expect(anewText(fakeBudget('b', NOW, { sliding: true }), when)).toBe(
      'All that counts now will have left then.',
    );
    const unused = fakeBudget('b', NOW, { sliding: true, ...status({ spent: '0', held: '0' }) });
    expect(anewText(unused, when)).toBe('Nothing counts right now.');
    const total = fakeBudget('b', NOW, { window: 'total', ...status({ resetsAt: null }) });
    expect(anewText(total, when)).toBe('It does not start anew.');
  });
});
