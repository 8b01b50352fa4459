import { type TokenCounts, type UnitCounts, unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import type { ModelUsage, NormalizedUsage } from '../../accounting/usage.ts';
import { readString } from './read-field.ts';

/** More tokens than any call can have; a figure above it is an error, not a bill. */
const MAX_COUNT = 1_000_000_000_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON object, not an array and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object behind a key, or null. */
export function objectAt(holder: unknown, key: string): JsonObject | null {
  const value = isObject(holder) ? holder[key] : null;
  return isObject(value) ? value : null;
}

/** Parses what should be a JSON object; null when it is not one. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Type of an error object as clients know it: its `type` or `code`, else `error`; null when there is no error. */
export function errorTypeOf(error: unknown): string | null {
  if (error === null || error === undefined) return null;
  return readString(error, 'type') ?? readString(error, 'code') ?? 'error';
}

/**
 * Reads token counts out of a provider's usage. Missing and null mean the answer did not say; anything that is
 * not a whole number from 0 up (negative, fractional, text, NaN, absurdly large) marks the usage as broken.
 * A broken usage is quarantined as a whole: one figure that cannot be right makes its neighbours suspect, and a
 * cost over what is left would look exact and be wrong.
 */
export class CountReader {
  #broken = false;

  get broken(): boolean {
    return this.#broken;
  }

  /** Marks the usage as broken unless the condition holds, such as "cached tokens are part of the prompt". */
  require(condition: boolean): void {
    if (!condition) this.#broken = true;
  }

  count(holder: JsonObject | null, key: string): number | null {
    const value = holder?.[key];
    if (value === undefined || value === null) return null;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT) {
      return value;
    }
    this.#broken = true;
    return null;
  }

  /** A nested object of counts; null when absent. Anything but an object breaks the usage. */
  details(holder: JsonObject, key: string): JsonObject | null {
    const value = holder[key];
    if (value === undefined || value === null) return null;
    if (isObject(value)) return value;
    this.#broken = true;
    return null;
  }
}

/** Adds two counts of which either may be unknown. */
export function plus(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : a + b;
}

/** Adds counts bucket by bucket. */
export function addTokens(a: TokenCounts, b: TokenCounts): TokenCounts {
  const sum = unknownTokens();
  for (const bucket of Object.keys(sum) as (keyof TokenCounts)[]) sum[bucket] = plus(a[bucket], b[bucket]);
  return sum;
}

/** Usage of which nothing is known but what the provider sent. */
export function quarantined(
  terms: Omit<ModelUsage, 'tokens' | 'units' | 'calls'>,
  raw: unknown,
): NormalizedUsage {
  return {
    ...terms,
    tokens: unknownTokens(),
    units: unknownUnits(),
    complete: false,
    subCalls: [],
    providerCostUsd: null,
    raw,
  };
}

/** Counts per use that the provider does not have. */
export function noUnits(counts: Partial<UnitCounts> = {}): UnitCounts {
  return { webSearchRequests: null, webFetchRequests: null, codeExecutionRequests: null, ...counts };
}

/** A non-negative JSON number as plain decimal text, without exponent; null for anything else. */
export function decimalText(value: unknown): string | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null;
  const text = String(value);
  const match = /^(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, whole = '', fraction = '', exponent] = match;
  return shifted(whole + fraction, whole.length + Number(exponent));
}

/** Decimal text of an integer number of `10^-decimals` units. */
export function scaledText(value: unknown, decimals: number): string | null {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return null;
  const digits = String(value).padStart(decimals + 1, '0');
  return trimmed(shifted(digits, digits.length - decimals));
}

/** Digits with the decimal point set before position `point`. */
function shifted(digits: string, point: number): string {
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
