import { nameTable } from '../kernel/name-table.ts';

/** How far one limit of an account is used up, as the provider last said. */
export interface WindowUse {
  /** The provider's own name: `5h`, `7d`, `7d_opus`, `requests`, `input-tokens`, … */
  name: string;
  /** Fraction spent, 0 to 1 and above; null when the provider did not say. */
  utilization: number | null;
  limit: number | null;
  remaining: number | null;
  resetAtMs: number | null;
  /** `allowed`, `allowed_warning`, `rejected`, …; null when the provider did not say. */
  status: string | null;
  observedAtMs: number;
}

/** Everything an answer's headers say about limits. */
export interface LimitFacts {
  /** The windows with a name each, in order of appearance. */
  windows: WindowUse[];
  /** Status over all windows; null when the provider has none. */
  status: string | null;
  resetAtMs: number | null;
  /** Which window decided: `five_hour`, `seven_day`, `seven_day_opus`, … */
  claim: string | null;
  outOfCredits: boolean;
  retryAtMs: number | null;
  shouldRetry: boolean | null;
}

const MAX_WINDOWS = 24;
/** Names of headers that are remembered; providers use a few dozen. */
const MAX_NAMES = 512;
/** Dates that are remembered as they are spelt. */
const MAX_DATES = 512;
const MAX_DATE_CHARS = 40;
const UNIFIED_PREFIX = 'unified-';
const NAME = /^(?:[a-z\d]+-)*?ratelimit-(.+)$/;
const WINDOW = /^(.+)-(status|utilization|reset)$/;
const FAMILY_FIRST = /^(.+)-(limit|remaining|reset)$/;
const FAMILY_LAST = /^(limit|remaining|reset)(?:-(.+))?$/;
/** Go's way to write a duration: `1h2m3.5s`, `17ms`. */
const DURATION =
  /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
/** From here on a plain number is an instant and not a span: 1e9 seconds are in 2001, 1e9 seconds of waiting are 31 years. */
const EPOCH_SECONDS = 1e9;
/** Where RFC 3339 has its `T`: what has one there is no duration. */
const RFC3339_T = 10;
const EPOCH_MS = 1e12;

function plainNumber(text: string): number | null {
  if (!/^\d{1,18}(?:\.\d{1,9})?$/.test(text)) return null;
  return Number(text);
}

function durationMs(text: string): number | null {
  const found = DURATION.exec(text);
  if (!found || text === '') return null;
  const [, hours = '0', minutes = '0', seconds = '0', millis = '0'] = found;
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(millis);
}

/** An instant however providers write it: epoch seconds or milliseconds, a span in seconds, `6m0s`, RFC 3339, an HTTP date. */
export function readInstant(text: string, nowMs: number): number | null {
  const number = plainNumber(text);
  if (number !== null) {
    if (number >= EPOCH_MS) return number;
    return number >= EPOCH_SECONDS ? number * 1000 : nowMs + number * 1000;
  }
  const span = text[RFC3339_T] === 'T' ? null : durationMs(text);
  if (span !== null) return nowMs + span;
  const instant = dateOf(text);
  return Number.isNaN(instant) ? null : instant;
}

const dates = new Map<string, number>();

/** A window's reset stands in every answer until it comes: most dates were read before. */
function dateOf(text: string): number {
  const known = dates.get(text);
  if (known !== undefined) return known;
  const instant = Date.parse(text);
  if (dates.size >= MAX_DATES) dates.clear();
  if (text.length <= MAX_DATE_CHARS) dates.set(text, instant);
  return instant;
}

type Reading = (facts: LimitFacts, value: string, nowMs: number) => void;

function windowOf({ windows }: LimitFacts, name: string, nowMs: number): WindowUse | null {
  for (const window of windows) if (window.name === name) return window;
  if (windows.length >= MAX_WINDOWS || name.length > 64) return null;
  const window: WindowUse = {
    name,
    utilization: null,
    limit: null,
    remaining: null,
    resetAtMs: null,
    status: null,
    observedAtMs: nowMs,
  };
  windows.push(window);
  return window;
}

function setField(window: WindowUse, field: string, value: string): void {
  if (field === 'status') window.status = value;
  else if (field === 'reset') window.resetAtMs = readInstant(value, window.observedAtMs);
  else if (field === 'utilization') window.utilization = plainNumber(value);
  else if (field === 'limit') window.limit = plainNumber(value);
  else window.remaining = plainNumber(value);
}

function windowReading(name: string, field: string): Reading {
  return (facts, value, nowMs) => {
    const window = windowOf(facts, name, nowMs);
    if (window !== null) setField(window, field, value);
  };
}

const UNIFIED: Readonly<Record<string, Reading>> = {
  status(facts, value) {
    facts.status = value;
  },
  reset(facts, value, nowMs) {
    facts.resetAtMs = readInstant(value, nowMs);
  },
  'representative-claim'(facts, value) {
    facts.claim = value;
  },
  'overage-disabled-reason'(facts, value) {
    facts.outOfCredits = value === 'out_of_credits';
  },
};

function unifiedReading(part: string): Reading | null {
  const whole = Object.hasOwn(UNIFIED, part) ? UNIFIED[part] : undefined;
  if (whole !== undefined) return whole;
  if (part.startsWith('overage-')) return null;
  const [, name, field] = WINDOW.exec(part) ?? [];
  return name === undefined || field === undefined ? null : windowReading(name, field);
}

function familyReading(rest: string): Reading | null {
  const last = FAMILY_LAST.exec(rest);
  if (last) return windowReading(last[2] ?? 'requests', last[1] ?? '');
  const first = FAMILY_FIRST.exec(rest);
  return first ? windowReading(first[1] ?? '', first[2] ?? '') : null;
}

const ALONE: Readonly<Record<string, Reading>> = {
  'retry-after'(facts, value, nowMs) {
    facts.retryAtMs ??= readInstant(value, nowMs);
  },
  /** More exact than `retry-after`, so it goes before it. */
  'retry-after-ms'(facts, value, nowMs) {
    const ms = plainNumber(value);
    if (ms !== null) facts.retryAtMs = nowMs + ms;
  },
  'x-should-retry'(facts, value) {
    facts.shouldRetry = value === 'true';
  },
};

/** How a header is read; null when it says nothing about limits. Worked out once for each name. */
const readingOf = nameTable((name: string): Reading | null => {
  const alone = Object.hasOwn(ALONE, name) ? ALONE[name] : undefined;
  if (alone !== undefined) return alone;
  const rest = NAME.exec(name)?.[1];
  if (rest === undefined) return null;
  return rest.startsWith(UNIFIED_PREFIX)
    ? unifiedReading(rest.slice(UNIFIED_PREFIX.length))
    : familyReading(rest);
}, MAX_NAMES);

/** True for headers this parser reads; the name in lower case. */
export function isLimitHeader(name: string): boolean {
  return readingOf(name) !== null;
}

/**
 * Reads what a provider says about its limits, by the patterns of the header names and never by a list of windows
 * (new ones appear without notice).
 * @param headers flat list of lower-case name, value, as `isLimitHeader` let through
 */
export function readLimitHeaders(headers: readonly string[], nowMs: number): LimitFacts {
  const facts: LimitFacts = {
    windows: [],
    status: null,
    resetAtMs: null,
    claim: null,
    outOfCredits: false,
    retryAtMs: null,
    shouldRetry: null,
  };
  for (let i = 0; i < headers.length; i += 2)
    readingOf(headers[i] ?? '')?.(facts, (headers[i + 1] ?? '').trim(), nowMs);
  for (const window of facts.windows) {
    if (window.utilization === null && window.limit !== null && window.remaining !== null && window.limit > 0)
      window.utilization = Math.max(0, 1 - window.remaining / window.limit);
  }
  return facts;
}
