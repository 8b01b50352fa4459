const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (value: number): string => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** How long ago, in words: `just now`, `40 s ago`, `5 min ago`, `3 h ago`, `12 d ago`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const past = nowMs - atMs;
  const ahead = past < 0;
  const span = Math.abs(past);
  if (span < 5000) return 'just now';
  const text =
    span < MINUTE
      ? `${Math.floor(span / 1000)} s`
      : span < HOUR
        ? `${Math.floor(span / MINUTE)} min`
        : span < 2 * DAY
          ? `${Math.floor(span / HOUR)} h`
          : `${Math.floor(span / DAY)} d`;
  return ahead ? `in ${text}` : `${text} ago`;
}

/** Local clock time with seconds: `14:03:22`. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Local date and time: `22 Nov, 14:03`. */
export function formatShort(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}, ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A UTC day: `22 Nov`. Daily figures are UTC days, wherever the reader sits. */
export function formatUtcDay(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** Local date with the year: `22 Nov 2026`. */
export function formatDate(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getDate()} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
}

/** Both absolute forms for a hover: local with offset, then UTC. */
export function formatAbsolute(atMs: number): string {
  const date = new Date(atMs);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '−' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const utc = date.toISOString().replace('T', ' ').replace('Z', '');
  return `${formatDate(atMs)} ${formatClock(atMs)} (UTC${zone}) · ${utc} UTC`;
}

/** What one chart bucket covers: `22 Nov, 14:00–15:00`, `22 Nov (UTC)`. */
export function formatBucket(atMs: number, step: 'minute' | 'hour' | 'day'): string {
  if (step === 'day') return `${formatUtcDay(atMs)} (UTC day)`;
  const end = new Date(atMs + (step === 'hour' ? HOUR : MINUTE));
  return `${formatShort(atMs)}–${two(end.getHours())}:${two(end.getMinutes())}`;
}
