const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The spans one click away. Each ends now and moves with the clock. */
export const PRESETS = ['1h', '6h', '24h', '7d', '30d', '90d'] as const;
export type Preset = (typeof PRESETS)[number];
export const DEFAULT_PRESET: Preset = '24h';
const PRESET_MS: Record<Preset, number> = {
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '90d': 90 * DAY,
};
export const PRESET_LABELS: Record<Preset, string> = {
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** As it stands in the URL: a preset, or two instants. */
export interface RangeSearch {
  range?: Preset;
  from?: string;
  to?: string;
}
export type Step = 'minute' | 'hour' | 'day';
export interface ResolvedRange {
  fromMs: number;
  toMs: number;
  step: Step;
  /** Set when the range moves with the clock. */
  preset: Preset | null;
}

/** Reads the range out of untrusted search parameters; anything invalid is left out, which means the default. */
export function parseRangeSearch(raw: Record<string, unknown>): RangeSearch {
  const from = instant(raw.from);
  const to = instant(raw.to);
  if (from !== null && to !== null && from < to) {
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  }
  const range = PRESETS.find((preset) => preset === raw.range);
  return range === undefined || range === DEFAULT_PRESET ? {} : { range };
}

function instant(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

/**
 * The instants a range means at `nowMs`. A preset ends at the next whole minute, so that two readers a few seconds
 * apart ask the same question and a request that has just ended is inside.
 */
export function resolveRange(search: RangeSearch, nowMs: number): ResolvedRange {
  if (search.from !== undefined && search.to !== undefined) {
    const fromMs = Date.parse(search.from);
    const toMs = Date.parse(search.to);
    return { fromMs, toMs, step: stepFor(toMs - fromMs), preset: null };
  }
  const preset = search.range ?? DEFAULT_PRESET;
  const toMs = Math.ceil((nowMs + 1) / MINUTE) * MINUTE;
  const fromMs = toMs - PRESET_MS[preset];
  return { fromMs, toMs, step: stepFor(toMs - fromMs), preset };
}

/** Bucket width: minutes up to six hours (the API's own limit), hours up to two weeks, then UTC days. */
export function stepFor(spanMs: number): Step {
  if (spanMs <= 6 * HOUR) return 'minute';
  return spanMs <= 14 * DAY ? 'hour' : 'day';
}

export const STEP_MS: Record<Step, number> = { minute: MINUTE, hour: HOUR, day: DAY };

/** A brushed span, widened to whole buckets and never narrower than five minutes. */
export function brushedRange(fromMs: number, toMs: number, step: Step): { from: string; to: string } {
  const size = STEP_MS[step];
  const from = Math.floor(fromMs / size) * size;
  const to = Math.max(Math.ceil(toMs / size) * size, from + 5 * MINUTE);
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** What a figure is compared with: `previous 24 hours`, `previous 90 min`. */
export function previousLabel(range: ResolvedRange): string {
  if (range.preset === '1h') return 'previous hour';
  if (range.preset !== null)
    return `previous ${PRESET_LABELS[range.preset].replace(' hours', '\u00a0h').replace(' days', '\u00a0days')}`;
  const span = range.toMs - range.fromMs;
  if (span < 2 * HOUR) return `previous ${Math.round(span / MINUTE)} min`;
  if (span < 2 * DAY) return `previous ${Number((span / HOUR).toFixed(1))} h`;
  return `previous ${Number((span / DAY).toFixed(1))} days`;
}
