import { describe, expect, it } from 'vitest';
import { windowRange } from './window-range.ts';

const HOUR = 3_600_000;

describe('the stretch of time that a window means', () => {
  const NOW = Date.UTC(2026, 2, 29, 10, 20); // clocks changed in Berlin this night
  const at = (window: Parameters<typeof windowRange>[1]['window'], timeZone = 'Europe/Berlin') =>
    windowRange(NOW, { window, timeZone });

  it('ends with the hour under way, so that nothing is later and whole hours can be read', () => {
    const windows = ['last_15_minutes', 'last_hour', 'last_day', 'hour', 'day', 'week', 'month'] as const;
    expect(new Set(windows.map((window) => at(window).toMs))).toEqual(new Set([Date.UTC(2026, 2, 29, 11)]));
    const sharp = Date.UTC(2026, 2, 29, 11);
    expect(windowRange(sharp, { window: 'hour', timeZone: 'UTC' })).toEqual({
      fromMs: sharp,
      toMs: sharp + HOUR,
    });
  });

  it('rolls from now, or begins with the calendar of its zone', () => {
    expect(NOW - at('last_15_minutes').fromMs).toBe(HOUR / 4);
    expect(NOW - at('last_hour').fromMs).toBe(HOUR);
    expect(NOW - at('last_day').fromMs).toBe(24 * HOUR);
    expect(at('hour').fromMs).toBe(Date.UTC(2026, 2, 29, 10));
    expect(at('day').fromMs).toBe(Date.UTC(2026, 2, 28, 23)); // midnight was in winter time
    expect(at('day', 'America/New_York').fromMs).toBe(Date.UTC(2026, 2, 29, 4));
    expect(at('week').fromMs).toBe(Date.UTC(2026, 2, 22, 23)); // Monday
    expect(at('month').fromMs).toBe(Date.UTC(2026, 1, 28, 23));
  });
});
