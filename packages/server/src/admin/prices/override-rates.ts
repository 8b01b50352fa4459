import type { priceOverrideRequest } from '@tallygate/contract/api/system';
import type { z } from 'zod';

export type UsdPerMillion = z.output<typeof priceOverrideRequest>['usdPerMillion'];

/** Field of the request → bucket of the price book. Reasoning follows visible output there. */
const BUCKET_OF: readonly [keyof UsdPerMillion, string][] = [
  ['input', 'inputUncached'],
  ['output', 'outputVisible'],
  ['cacheRead', 'cacheRead'],
  ['cacheWrite5m', 'cacheWrite5m'],
  ['cacheWrite1h', 'cacheWrite1h'],
];
const FRACTION_DIGITS = 6;

/** $1 per million tokens is 10⁶ pico-USD per token, so six fraction digits are exact and nothing is rounded. */
export function picoPerToken(usdPerMillion: string): string {
  const [whole = '0', fraction = ''] = usdPerMillion.split('.');
  return BigInt(whole + fraction.padEnd(FRACTION_DIGITS, '0')).toString();
}

/** The inverse of `picoPerToken`, without trailing zeros. */
export function usdPerMillion(picoUsd: string): string {
  const digits = picoUsd.padStart(FRACTION_DIGITS + 1, '0');
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  const whole = digits.slice(0, -FRACTION_DIGITS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** Rates keyed by bucket, as the store keeps them. */
export function toBucketRates(rates: UsdPerMillion): Record<string, string> {
  const buckets: Record<string, string> = {};
  for (const [field, bucket] of BUCKET_OF) {
    const text = rates[field];
    if (text !== undefined) buckets[bucket] = picoPerToken(text);
  }
  return buckets;
}

/** Rates as they were asked for. */
export function fromBucketRates(buckets: Readonly<Record<string, string>>): UsdPerMillion {
  const rates: UsdPerMillion = { input: '0', output: '0' };
  for (const [field, bucket] of BUCKET_OF) {
    const text = buckets[bucket];
    if (text !== undefined) rates[field] = usdPerMillion(text);
  }
  return rates;
}
