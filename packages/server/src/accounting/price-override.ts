import { TOKEN_BUCKETS, type TokenBucket, UNIT_COUNTS, type UnitCount } from '@tallygate/contract/usage';
import { AppError } from '../kernel/errors.ts';

/** What an operator may price: each token bucket, and each server-tool use. */
export type PricedUnit = TokenBucket | UnitCount;
const PRICED_UNITS: ReadonlySet<string> = new Set([...TOKEN_BUCKETS, ...UNIT_COUNTS]);

/** A price an operator has set; the shape of the store's row, as far as prices are concerned. */
export interface PriceOverride {
  id: string;
  /** Provider id in the price book. */
  provider: string;
  model: string;
  /** First instant of validity; null: since ever. */
  validFromMs: number | null;
  /** First instant no longer covered; null: until further notice. */
  validToMs: number | null;
  /** Pico-USD per token (or per use) as decimal integer text, keyed by bucket. */
  ratesPicoUsd: Readonly<Record<string, string>>;
  createdAtMs: number;
}

/** $10 per token: nothing real comes near, and a rate times a factor stays an exact integer. */
const MAX_RATE_PICO_USD = 10_000_000_000_000;

/**
 * Reads and checks the rates of an override.
 * @throws AppError `invalid_request` naming the bucket that is unknown, or the rate that is not a non-negative integer.
 */
export function parseOverrideRates(rates: Readonly<Record<string, string>>): Map<PricedUnit, number> {
  const parsed = new Map<PricedUnit, number>();
  for (const [unit, text] of Object.entries(rates)) {
    if (!isPricedUnit(unit)) {
      throw new AppError('invalid_request', {
        detail: `A price cannot have a rate for ${JSON.stringify(unit)}. Use one of: ${[...PRICED_UNITS].join(', ')}.`,
      });
    }
    const rate = /^\d{1,14}$/.test(text) ? Number(text) : Number.NaN;
    if (!(rate <= MAX_RATE_PICO_USD)) {
      throw new AppError('invalid_request', {
        detail: `The rate for ${unit} has to be a whole number of pico-dollars per token, at most ${MAX_RATE_PICO_USD}. $1 per million tokens is 1000000.`,
      });
    }
    parsed.set(unit, rate);
  }
  if (parsed.size === 0) {
    throw new AppError('invalid_request', {
      detail: 'A price needs at least one rate, such as inputUncached.',
    });
  }
  return parsed;
}

function isPricedUnit(unit: string): unit is PricedUnit {
  return PRICED_UNITS.has(unit);
}
