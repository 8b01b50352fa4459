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
const NAME = /^(?:[a-z\d]+-)*?ratelimit-(.+)$/;
const WINDOW = /^(.+)-(status|utilization|reset)$/;
const FAMILY_FIRST = /^(.+)-(limit|remaining|reset)$/;
const FAMILY_LAST = /^(limit|remaining|reset)(?:-(.+))?$/;
/** Go's way to write a duration: `1h2m3.5s`, `17ms`. */
const DURATION =
  /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
/** From here on a plain number is an instant and not a span: 1e9 seconds are in 2001, 1e9 seconds of waiting are 31 years. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/** True for headers this parser reads; the name in lower case. */
export function isLimitHeader(name: string): boolean {
  return name.includes('ratelimit-') || name.startsWith('retry-after') || name === 'x-should-retry';
}

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
  const span = durationMs(text);
  if (span !== null) return nowMs + span;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? null : instant;
}

class Reader {
  readonly facts: LimitFacts = {
    windows: [],
    status: null,
    resetAtMs: null,
    claim: null,
    outOfCredits: false,
    retryAtMs: null,
    shouldRetry: null,
  };
  readonly #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  header(name: string, value: string): void {
    if (name === 'retry-after') this.facts.retryAtMs ??= readInstant(value, this.#nowMs);
    else if (name === 'retry-after-ms') this.#retryAfterMs(value);
    else if (name === 'x-should-retry') this.facts.shouldRetry = value === 'true';
    else {
      const rest = NAME.exec(name)?.[1];
      if (rest === undefined) return;
      if (rest.startsWith('unified-')) this.#unified(rest.slice('unified-'.length), value);
      else this.#family(rest, value);
    }
  }

  /** More exact than `retry-after`, so it goes before it. */
  #retryAfterMs(value: string): void {
    const ms = plainNumber(value);
    if (ms !== null) this.facts.retryAtMs = this.#nowMs + ms;
  }

  #unified(part: string, value: string): void {
    const { facts } = this;
    if (part === 'status') facts.status = value;
    else if (part === 'reset') facts.resetAtMs = readInstant(value, this.#nowMs);
    else if (part === 'representative-claim') facts.claim = value;
    else if (part === 'overage-disabled-reason') facts.outOfCredits = value === 'out_of_credits';
    else if (!part.startsWith('overage-')) {
      const [, name, field] = WINDOW.exec(part) ?? [];
      if (name !== undefined && field !== undefined) this.#set(name, field, value);
    }
  }

  #family(rest: string, value: string): void {
    const last = FAMILY_LAST.exec(rest);
    if (last) return this.#set(last[2] ?? 'requests', last[1] ?? '', value);
    const first = FAMILY_FIRST.exec(rest);
    if (first) this.#set(first[1] ?? '', first[2] ?? '', value);
  }

  #set(name: string, field: string, value: string): void {
    const window = this.#window(name);
    if (window === null) return;
    if (field === 'status') window.status = value;
    else if (field === 'reset') window.resetAtMs = readInstant(value, this.#nowMs);
    else if (field === 'utilization') window.utilization = plainNumber(value);
    else if (field === 'limit') window.limit = plainNumber(value);
    else window.remaining = plainNumber(value);
  }

  #window(name: string): WindowUse | null {
    const { windows } = this.facts;
    for (const window of windows) if (window.name === name) return window;
    if (windows.length >= MAX_WINDOWS || name.length > 64) return null;
    const window: WindowUse = {
      name,
      utilization: null,
      limit: null,
      remaining: null,
      resetAtMs: null,
      status: null,
      observedAtMs: this.#nowMs,
    };
    windows.push(window);
    return window;
  }
}

/**
 * Reads what a provider says about its limits, by the patterns of the header names and never by a list of windows
 * (new ones appear without notice).
 * @param headers flat list of lower-case name, value, as `isLimitHeader` let through
 */
export function readLimitHeaders(headers: readonly string[], nowMs: number): LimitFacts {
  const reader = new Reader(nowMs);
  for (let i = 0; i < headers.length; i += 2) reader.header(headers[i] ?? '', (headers[i + 1] ?? '').trim());
  for (const window of reader.facts.windows) {
    if (window.utilization === null && window.limit !== null && window.remaining !== null && window.limit > 0)
      window.utilization = Math.max(0, 1 - window.remaining / window.limit);
  }
  return reader.facts;
}
