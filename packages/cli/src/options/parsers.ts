import { suggest } from '@tallygate/server/config/suggest';
import { usageError } from '../cli-error.ts';

import type { ParseValue } from './option.ts';

/** A whole number within bounds, both inclusive. */
export function integer(min: number, max: number): ParseValue<number> {
  return (text, flag) => {
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text) || value < min || value > max) {
      throw usageError(`${flag} takes a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A number of things, 0 included. */
export const count: ParseValue<number> = integer(0, 999_999_999_999_999);

/** An amount of dollars as exact text. */
export const dollars: ParseValue<string> = (text, flag) => {
  const plain = text.startsWith('$') ? text.slice(1) : text;
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(plain)) {
    throw usageError(`${flag} takes an amount of dollars such as 12.50, with at most nine decimals.`);
  }
  return plain;
};

/** One of a fixed set of words; a near miss is named. */
export function oneOf<const T extends string>(choices: readonly T[]): ParseValue<T> {
  return (text, flag) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const begun = text.length >= 3 ? choices.find((choice) => choice.startsWith(text)) : undefined;
    const near = begun ?? suggest(text, choices);
    throw usageError(
      `${flag} takes one of: ${choices.join(', ')}.`,
      near === null ? undefined : `Did you mean ${near}?`,
    );
  };
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const MAX_DURATION_MS = 3660 * UNIT_MS.d;

/** A length of time such as `90s`, `15m`, `24h`, `30d` or `2w`, in milliseconds; at most ten years. */
export const durationMs: ParseValue<number> = (text, flag) => {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const value = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  if (value <= 0 || value > MAX_DURATION_MS) {
    throw usageError(`${flag} takes a length of time such as 15m, 24h, 30d or 2w (at most ten years).`);
  }
  return value;
};

const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** True when the calendar has this day: `Date.parse` would roll 31 February over silently. */
function isCalendarDay(text: string): boolean {
  const day = text.slice(0, 10);
  const parsed = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed) && new Date(parsed).toISOString().slice(0, 10) === day;
}

/** ISO 8601, to the instant; without an offset it is UTC, as everything in the ledger is. */
export const instant: ParseValue<Date> = (text, flag) => {
  const withTime = text.includes('T') ? text : `${text}T00:00:00`;
  const withZone = /(Z|[+-]\d{2}:\d{2})$/.test(withTime) ? withTime : `${withTime}Z`;
  const at = Date.parse(withZone);
  if (!ISO_INSTANT.test(text) || !isCalendarDay(text) || Number.isNaN(at)) {
    throw usageError(`${flag} takes an ISO 8601 date or time such as 2026-11-01 or 2026-11-01T12:00:00Z.`);
  }
  return new Date(at);
};

/** An instant, or how long ago: resolved against the clock by the handler. */
export type Moment = { at: Date } | { agoMs: number };

/** `2026-11-01T12:00Z`, `2026-11-01`, or how long ago as `24h`. */
export const moment: ParseValue<Moment> = (text, flag) =>
  /^\d{1,6}[smhdw]$/.test(text) ? { agoMs: durationMs(text, flag) } : { at: instant(text, flag) };

/** The instant a moment means now. */
export function resolveMoment(value: Moment, now: Date): Date {
  return 'at' in value ? value.at : new Date(now.getTime() - value.agoMs);
}

/**
 * The name of an environment variable. What was given is never echoed: the usual mistake is to paste the
 * credential itself here.
 */
export const environmentName: ParseValue<string> = (text, flag) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text)) {
    throw usageError(
      `${flag} takes the name of an environment variable, not the value itself.`,
      `export PROVIDER_KEY=…, then ${flag} PROVIDER_KEY`,
    );
  }
  return text;
};

/** An http or https URL without credentials in it. */
export const httpUrl: ParseValue<string> = (text, flag) => {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw usageError(`${flag} takes a URL that begins with https:// or http://.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError(`${flag} must not carry a user name or password.`);
  }
  return text;
};
