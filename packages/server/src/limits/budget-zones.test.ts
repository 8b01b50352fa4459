import type { BudgetWindow } from '@tallygate/contract/api/budgets';
import { describe, expect, it } from 'vitest';
import { windowAt, windowsBefore } from './budget-window.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2029, 0, 1);

const rule = (window: BudgetWindow, timeZone: string) => ({
  window,
  windowMs: null,
  sliding: false,
  timeZone,
  createdAtMs: 0,
});

/** The wall clock of a zone as text that sorts, worked out apart from the code under test. */
function wallClock(timeZone: string): (atMs: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (atMs) => format.format(atMs);
}

/** The instants at which the clocks of a zone are changed. */
function changesOf(timeZone: string): number[] {
  const clock = wallClock(timeZone);
  const offsetAt = (atMs: number): number => Date.parse(`${clock(atMs).replace(' ', 'T')}Z`) - atMs;
  const changes: number[] = [];
  for (let dayMs = FROM; dayMs < TO; dayMs += DAY) {
    if (offsetAt(dayMs) === offsetAt(dayMs + DAY)) continue;
    let [before, after] = [dayMs, dayMs + DAY];
    while (after - before > 1_000) {
      const middle = before + Math.floor((after - before) / 2_000) * 1_000;
      if (offsetAt(middle) === offsetAt(dayMs)) before = middle;
      else after = middle;
    }
    changes.push(after);
  }
  return changes;
}

/** Zones that differ in when their clocks change; the rest behaves like one of them. */
function tellingZones(): { timeZone: string; changes: number[] }[] {
  const seen = new Set<string>();
  const telling: { timeZone: string; changes: number[] }[] = [];
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    const winter = wallClock(timeZone)(FROM);
    const summer = wallClock(timeZone)(FROM + 182 * DAY);
    if (seen.has(`${winter} ${summer}`)) continue;
    seen.add(`${winter} ${summer}`);
    telling.push({ timeZone, changes: changesOf(timeZone) });
  }
  return telling;
}
const ZONES = tellingZones();

/** First day of the period that a local date is in, as the wall clock writes it. */
function firstDayOf(window: 'day' | 'week' | 'month', date: string): string {
  if (window === 'month') return `${date.slice(0, 8)}01`;
  if (window === 'day') return date;
  const atMs = Date.parse(`${date}T00:00:00Z`);
  const monday = atMs - ((new Date(atMs).getUTCDay() + 6) % 7) * DAY;
  return new Date(monday).toISOString().slice(0, 10);
}

describe('windows of budgets in every kind of time zone (X-02)', () => {
  it('there are zones of whole, half and quarter hours, and such as never change their clocks', () => {
    expect(ZONES.length).toBeGreaterThan(30);
    expect(ZONES.some(({ changes }) => changes.length === 0)).toBe(true);
    expect(ZONES.some(({ changes }) => changes.length >= 6)).toBe(true);
  });

  it.each(ZONES)(
    '$timeZone: an instant is in the period that its wall clock says, around each change of the clocks',
    ({ timeZone, changes }) => {
      const clock = wallClock(timeZone);
      const near = [-DAY, -HOUR, -1, 0, 1, HOUR, DAY];
      const instants = [FROM + 11 * HOUR, ...changes.slice(0, 4).flatMap((at) => near.map((ms) => at + ms))];
      for (const atMs of instants) {
        const local = clock(atMs).slice(0, 10);
        for (const window of ['day', 'week', 'month'] as const) {
          const { startMs, endMs } = windowAt(atMs, rule(window, timeZone));
          expect(startMs <= atMs && atMs < endMs, `${window} ${atMs}`).toBe(true);
          // Its first instant is of its first day, and the one before is not; the same at its end.
          expect(clock(startMs).slice(0, 10)).toBe(firstDayOf(window, local));
          expect(clock(startMs - 1) < firstDayOf(window, local)).toBe(true);
          expect(firstDayOf(window, clock(endMs).slice(0, 10))).not.toBe(firstDayOf(window, local));
          expect(firstDayOf(window, clock(endMs - 1).slice(0, 10))).toBe(firstDayOf(window, local));
        }
      }
    },
  );

  it.each(ZONES.filter(({ changes }) => changes.length > 0))(
    '$timeZone: the days on which the clocks change are longer or shorter by the change',
    ({ timeZone, changes }) => {
      const [first = 0] = changes;
      const day = rule('day', timeZone);
      const here = windowAt(first, day);
      const lengths = [windowAt(here.startMs - 1, day), here, windowAt(here.endMs, day)].map(
        ({ startMs, endMs }) => endMs - startMs,
      );
      const clock = wallClock(timeZone);
      const wall = (atMs: number): number => Date.parse(`${clock(atMs).replace(' ', 'T')}Z`);
      const jumpMs = wall(first) - wall(first - 1_000) - 1_000;
      expect(jumpMs).not.toBe(0);
      // A change at midnight may fall into the day before or after it.
      expect(lengths.filter((length) => length !== DAY)).toEqual([DAY - jumpMs]);
    },
  );

  it('hours are the same stretches everywhere, also where clocks are changed by half an hour', () => {
    for (const { timeZone, changes } of ZONES) {
      for (const atMs of [FROM + 1, ...changes.slice(0, 2)]) {
        const hour = windowAt(atMs, rule('hour', timeZone));
        expect([hour.startMs % HOUR, hour.endMs - hour.startMs]).toEqual([0, HOUR]);
        expect(hour).toEqual(windowAt(atMs, rule('hour', 'UTC')));
      }
    }
  });

  it('a day that was left out of the calendar has no window, and its neighbours touch', () => {
    // Samoa went from Thursday the 29th to Saturday the 31st of December 2011.
    const day = rule('day', 'Pacific/Apia');
    const thursday = windowAt(Date.UTC(2011, 11, 29, 20), day);
    const saturday = windowAt(thursday.endMs, day);
    const clock = wallClock('Pacific/Apia');
    expect([clock(thursday.endMs - 1), clock(saturday.startMs)]).toEqual([
      '2011-12-29 23:59:59',
      '2011-12-31 00:00:00',
    ]);
    expect(saturday.endMs - saturday.startMs).toBe(DAY);
    expect(windowsBefore(saturday, day, 1)).toEqual([thursday]);
    const month = windowAt(thursday.endMs, rule('month', 'Pacific/Apia'));
    expect(month.endMs - month.startMs).toBe(30 * DAY);
  });

  it('leap years, turns of the year and the longest and shortest months are as the calendar has them', () => {
    const days = (text: string, window: BudgetWindow) => {
      const { startMs, endMs } = windowAt(Date.parse(text), rule(window, 'UTC'));
      return [new Date(startMs).toISOString().slice(0, 10), (endMs - startMs) / DAY];
    };
    expect(days('2028-02-29T23:59:59.999Z', 'month')).toEqual(['2028-02-01', 29]);
    expect(days('2027-02-28T00:00:00Z', 'month')).toEqual(['2027-02-01', 28]);
    expect(days('2100-02-28T00:00:00Z', 'month')).toEqual(['2100-02-01', 28]);
    expect(days('2026-12-31T23:59:59.999Z', 'week')).toEqual(['2026-12-28', 7]);
    expect(days('2027-01-03T23:59:59.999Z', 'week')).toEqual(['2026-12-28', 7]);
    expect(days('2027-01-04T00:00:00Z', 'week')).toEqual(['2027-01-04', 7]);
    expect(days('1969-12-31T00:00:00Z', 'week')).toEqual(['1969-12-29', 7]);
    expect(days('1969-12-31T00:00:00Z', 'month')).toEqual(['1969-12-01', 31]);
  });

  it('twelve months before are the twelve before, through every change of the clocks', () => {
    for (const { timeZone } of ZONES.slice(0, 12)) {
      const month = rule('month', timeZone);
      const current = windowAt(Date.UTC(2027, 5, 15), month);
      const clock = wallClock(timeZone);
      const starts = windowsBefore(current, month, 12).map(({ startMs }) => clock(startMs).slice(0, 10));
      expect(starts).toEqual(
        Array.from({ length: 12 }, (_, i) => new Date(Date.UTC(2027, 4 - i, 1)).toISOString().slice(0, 10)),
      );
    }
  });
});
