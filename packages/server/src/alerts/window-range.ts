import type { AlertWindow } from '@tallygate/contract/api/alerts';
import { windowAt } from '../limits/budget-window.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ROLLING_MS: Readonly<Partial<Record<AlertWindow, number>>> = {
  last_15_minutes: 15 * MINUTE_MS,
  last_hour: 60 * MINUTE_MS,
  last_day: 24 * 60 * MINUTE_MS,
};

export const WINDOW_WORDS: Readonly<Record<AlertWindow, string>> = {
  last_15_minutes: 'in the last 15 minutes',
  last_hour: 'in the last hour',
  last_day: 'in the last 24 hours',
  hour: 'this hour',
  day: 'today',
  week: 'this week',
  month: 'this month',
};

/**
 * The stretch of time a window means now. It ends with the hour under way: nothing is later than now, and whole hours
 * are read from the ledger's sums instead of its rows.
 */
export function windowRange(
  nowMs: number,
  { window, timeZone }: { window: AlertWindow; timeZone: string },
): { fromMs: number; toMs: number } {
  const toMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
  const rolling = ROLLING_MS[window];
  if (rolling !== undefined) return { fromMs: nowMs - rolling, toMs };
  const calendar = window as 'hour' | 'day' | 'week' | 'month';
  return {
    fromMs: windowAt(nowMs, { window: calendar, windowMs: null, sliding: false, timeZone, createdAtMs: 0 })
      .startMs,
    toMs,
  };
}
