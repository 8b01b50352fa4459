import type { BudgetWindow } from '@tallygate/contract/api/budgets';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone, windowAt, windowsBefore } from './budget-window.ts';

const at = (text: string): number => Date.parse(text);
const span = (text: string, window: BudgetWindow, timeZone = 'UTC'): string[] => {
  const { startMs, endMs } = windowAt(at(text), {
    window,
    windowMs: null,
    sliding: false,
    timeZone,
    createdAtMs: 0,
  });
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
};

describe('windows of budgets (X-02)', () => {
  it.each<[string, BudgetWindow, string, string, string]>([
    ['2026-11-22T08:15:00Z', 'hour', 'UTC', '2026-11-22T08:00:00.000Z', '2026-11-22T09:00:00.000Z'],
    ['2026-11-22T08:15:00Z', 'day', 'UTC', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['2026-11-22T08:15:00Z', 'week', 'UTC', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 'month', 'UTC', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-11-22T23:30:00Z', 'day', 'Europe/Berlin', '2026-11-22T23:00:00.000Z', '2026-11-23T23:00:00.000Z'],
    // 23 hours and 25 hours.
    ['2026-03-29T12:00:00Z', 'day', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['2026-10-25T12:00:00Z', 'day', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    // Midnight did not exist: the clocks went from 00:00 to 01:00.
    [
      '2018-11-04T12:00:00Z',
      'day',
      'America/Sao_Paulo',
      '2018-11-04T03:00:00.000Z',
      '2018-11-05T02:00:00.000Z',
    ],
    [
      '2026-11-30T13:00:00Z',
      'month',
      'Pacific/Kiritimati',
      '2026-11-30T10:00:00.000Z',
      '2026-12-31T10:00:00.000Z',
    ],
    ['2026-11-22T08:15:00Z', 'hour', 'Asia/Kolkata', '2026-11-22T08:00:00.000Z', '2026-11-22T09:00:00.000Z'],
  ])('%s in a %s of %s', (instant, window, zone, ...bounds) => {
    expect(span(instant, window, zone)).toEqual(bounds);
  });

  it('a total begins when it was made and never ends', () => {
    const total = {
      window: 'total',
      windowMs: null,
      sliding: false,
      timeZone: 'UTC',
      createdAtMs: 5,
    } as const;
    expect(windowAt(99, total)).toEqual({ startMs: 5, endMs: Number.POSITIVE_INFINITY });
    expect(windowsBefore(windowAt(99, total), total, 3)).toEqual([]);
  });

  it('every instant is in exactly one window, and windows touch', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'Africa/Casablanca',
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: at('2015-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }),
        fc.constantFrom<BudgetWindow>('hour', 'day', 'week', 'month', 'custom'),
        fc.constantFrom(...zones),
        (instant, window, timeZone) => {
          const budget = { window, windowMs: 5_400_000, sliding: false, timeZone, createdAtMs: 0 };
          const here = windowAt(instant, budget);
          expect(here.startMs <= instant && instant < here.endMs).toBe(true);
          expect(windowAt(here.startMs, budget)).toEqual(here);
          expect(windowAt(here.endMs, budget).startMs).toBe(here.endMs);
          expect(windowAt(here.startMs - 1, budget).endMs).toBe(here.startMs);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('lists earlier windows newest first', () => {
    const month = {
      window: 'month',
      windowMs: null,
      sliding: false,
      timeZone: 'UTC',
      createdAtMs: 0,
    } as const;
    const current = windowAt(at('2026-03-05T00:00:00Z'), month);
    const starts = windowsBefore(current, month, 2).map(({ startMs }) =>
      new Date(startMs).toISOString().slice(0, 10),
    );
    expect(starts).toEqual(['2026-02-01', '2026-01-01']);
  });

  it('knows time zones by name', () => {
    expect(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });

  it('custom windows follow one another from when the budget was made, whatever the clocks do', () => {
    const hour = 3_600_000;
    const rule = {
      window: 'custom',
      windowMs: 5 * hour,
      sliding: false,
      timeZone: 'Europe/Berlin',
      createdAtMs: 7,
    } as const;
    expect(windowAt(7, rule)).toEqual({ startMs: 7, endMs: 7 + 5 * hour });
    expect(windowAt(7 + 5 * hour - 1, rule).startMs).toBe(7);
    expect(windowAt(7 + 5 * hour, rule).startMs).toBe(7 + 5 * hour);
    expect(windowAt(6, rule)).toEqual({ startMs: 7 - 5 * hour, endMs: 7 });
    const before = windowsBefore(windowAt(7 + 11 * hour, rule), rule, 2);
    expect(before.map(({ startMs }) => startMs)).toEqual([7 + 5 * hour, 7]);
  });
});
