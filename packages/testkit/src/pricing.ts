import {
  type TokenBucket,
  type TokenCounts,
  type UnitCounts,
  unknownTokens,
  unknownUnits,
} from '@tallygate/contract/usage';
import type { PriceBook } from '@tallygate/server/accounting/price-book';
import type { PriceOverride } from '@tallygate/server/accounting/price-override';
import { type PricedUsage, priceUsage } from '@tallygate/server/accounting/price-usage';
import type { ModelUsage, ServedTerms } from '@tallygate/server/accounting/usage';

/** What a test says of a call: everything else is unknown, and nothing special was served. */
export interface PriceCase {
  provider?: string;
  model: string | null;
  tokens?: Partial<TokenCounts>;
  units?: Partial<UnitCounts>;
  /** ISO 8601; 1 November 2026 at noon when absent. */
  at?: string;
  terms?: Partial<ServedTerms>;
  calls?: TokenCounts[];
  fallbackModel?: string | null;
}

export const PRICED_AT = '2026-11-01T12:00:00Z';

/** Counts of the given buckets, the others unknown. */
export function tokenCounts(counts: Partial<TokenCounts>): TokenCounts {
  return { ...unknownTokens(), ...counts };
}

/** The same count in one bucket and nothing known of the others. */
export function only(bucket: TokenBucket, count = 1_000_000): TokenCounts {
  return tokenCounts({ [bucket]: count });
}

export function modelUsage({ model, tokens, units, terms, calls }: PriceCase): ModelUsage {
  return {
    model,
    tokens: tokenCounts(tokens ?? {}),
    units: { ...unknownUnits(), ...units },
    serviceTier: null,
    speed: null,
    geo: null,
    batch: false,
    ...terms,
    ...(calls ? { calls } : {}),
  };
}

/** Prices cases by one book; Anthropic's where a case names no provider. */
export function pricesBy(book: PriceBook): {
  price(input: PriceCase): PricedUsage;
  cost(input: PriceCase): bigint | null;
} {
  const price = (input: PriceCase): PricedUsage =>
    priceUsage(book, {
      provider: input.provider ?? 'anthropic',
      usage: modelUsage(input),
      fallbackModel: input.fallbackModel ?? null,
      atMs: Date.parse(input.at ?? PRICED_AT),
    });
  return { price, cost: (input) => price(input).costNanoUsd };
}

/** A price an operator has set for Claude Sonnet 4.6: $1 in, $2 out, for ever. */
export function priceOverride(changes: Partial<PriceOverride> = {}): PriceOverride {
  return {
    id: 'ovr_1',
    provider: 'anthropic',
    model: 'claude-sonnet-4-6',
    validFromMs: null,
    validToMs: null,
    ratesPicoUsd: { inputUncached: '1000000', outputVisible: '2000000' },
    createdAtMs: 1,
    ...changes,
  };
}
