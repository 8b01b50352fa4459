import type { BudgetWindow } from '@tallygate/contract/api/budgets';

/** What decides where the windows of a budget begin. */
interface WindowRule {
  window: BudgetWindow;
  /** Length of a `custom` window. */
  windowMs: number | null;
  /** It never starts anew: what was spent leaves when the length of the window has passed. */
  sliding: boolean;
  timeZone: string;
  createdAtMs: number;
}

/** A stretch of time, `[startMs, endMs)`; a `total` window never ends. */
export interface TimeWindow {
  startMs: number;
  endMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Parts of a sliding window that leave it one after the other. */
export const SLIDING_SLICES = 24;
/** How long sliding windows are; a month is thirty days. */
const SLIDING_MS = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS } as const;
/** No zone is further from UTC, with room to spare. */
const MAX_OFFSET_MS = 16 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  formats.set(timeZone, made);
  return made;
}

/** True for a name that the time zone data of this program knows. */
export function isTimeZone(name: string): boolean {
  try {
    formatFor(name);
    return true;
  } catch {
    return false;
  }
}

/** The calendar day at an instant, as days since 1970-01-01. */
function dayNumber(atMs: number, timeZone: string): number {
  if (timeZone === 'UTC') return Math.floor(atMs / DAY_MS);
  let [year, month, day] = [0, 0, 0];
  for (const part of formatFor(timeZone).formatToParts(atMs)) {
    if (part.type === 'year') year = Number(part.value);
    else if (part.type === 'month') month = Number(part.value);
    else if (part.type === 'day') day = Number(part.value);
  }
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/**
 * The first instant of a calendar day. Found by halving rather than from an offset, because midnight does not exist
 * where the clocks go forward at midnight, and a day may have 23 or 25 hours.
 */
function startOfDay(day: number, timeZone: string): number {
  const utcMs = day * DAY_MS;
  if (timeZone === 'UTC') return utcMs;
  let before = utcMs - MAX_OFFSET_MS;
  let reached = utcMs + MAX_OFFSET_MS;
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (dayNumber(middle, timeZone) >= day) reached = middle;
    else before = middle;
  }
  return reached;
}

/** First day of the period that holds a day, and first day of the next one. Weeks begin on Monday (ISO 8601). */
function periodOfDay(window: 'day' | 'week' | 'month', day: number): [first: number, next: number] {
  if (window === 'day') return [day, day + 1];
  if (window === 'week') {
    const monday = day - ((((day + 3) % 7) + 7) % 7); // 1970-01-01 was a Thursday
    return [monday, monday + 7];
  }
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return [Date.UTC(year, month, 1) / DAY_MS, Date.UTC(year, month + 1, 1) / DAY_MS];
}

/** How long spend counts at least in a sliding window. */
export function slidingMs({ window, windowMs }: Pick<WindowRule, 'window' | 'windowMs'>): number {
  return window === 'custom' || window === 'total' ? (windowMs ?? DAY_MS) : SLIDING_MS[window];
}

/** How long what is filed in a window counts after the window has ended: nothing of it, unless it slides. */
export function countsAfterMs(rule: Pick<WindowRule, 'window' | 'windowMs' | 'sliding'>): number {
  return rule.sliding ? slidingMs(rule) : 0;
}

/**
 * The window that an instant is filed in. Days, weeks and months are those of the zone's calendar; hours are UTC hours in
 * every zone, so that no hour comes twice. A `total` window begins when its budget was made, and so does the first
 * `custom` one. A sliding window files by its slices, which are the same for every node.
 */
export function windowAt(atMs: number, rule: WindowRule): TimeWindow {
  const { window, windowMs, timeZone, createdAtMs } = rule;
  if (rule.sliding) return stretchAt(atMs, slidingMs(rule) / SLIDING_SLICES, 0);
  if (window === 'total') return { startMs: createdAtMs, endMs: Number.POSITIVE_INFINITY };
  if (window === 'custom') return stretchAt(atMs, windowMs ?? DAY_MS, createdAtMs);
  if (window === 'hour') return stretchAt(atMs, HOUR_MS, 0);
  const [first, next] = periodOfDay(window, dayNumber(atMs, timeZone));
  return { startMs: startOfDay(first, timeZone), endMs: startOfDay(next, timeZone) };
}

/** Stretches of one length, one after the other. */
function stretchAt(atMs: number, lengthMs: number, fromMs: number): TimeWindow {
  const startMs = fromMs + Math.floor((atMs - fromMs) / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}

/**
 * Every window whose spend counts for what is filed at an instant, oldest first: one, or the slices of a sliding window.
 * Those reach back for its whole length from any instant in the last of them, so nothing leaves before its time.
 */
export function countedWindows(atMs: number, rule: WindowRule): TimeWindow[] {
  const at = windowAt(atMs, rule);
  if (!rule.sliding) return [at];
  const sliceMs = at.endMs - at.startMs;
  return Array.from({ length: SLIDING_SLICES + 1 }, (_, i) => {
    const startMs = at.startMs - (SLIDING_SLICES - i) * sliceMs;
    return { startMs, endMs: startMs + sliceMs };
  });
}

/** The stretch of time whose spend counts for what is filed at an instant. */
export function countedRange(atMs: number, rule: WindowRule): TimeWindow {
  const at = windowAt(atMs, rule);
  return rule.sliding ? { startMs: at.startMs - slidingMs(rule), endMs: at.endMs } : at;
}

/** The windows before this one, newest first; none before a `total` window. Sliding ones are told length by length. */
export function windowsBefore(current: TimeWindow, budget: WindowRule, count: number): TimeWindow[] {
  const windows: TimeWindow[] = [];
  if (budget.window === 'total') return windows;
  for (let { startMs } = current; windows.length < count; ) {
    const window = budget.sliding
      ? { startMs: startMs - slidingMs(budget), endMs: startMs }
      : windowAt(startMs - 1, budget);
    windows.push(window);
    startMs = window.startMs;
  }
  return windows;
}
