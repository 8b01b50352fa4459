import type { PriceStatus } from '@tallygate/contract/usage';
import { AppError } from '../kernel/errors.ts';
import type { PriceBook } from './price-book.ts';
import { type PricedUsage, type PriceLine, priceUsage } from './price-usage.ts';
import type { ModelUsage, NormalizedUsage } from './usage.ts';

/** Reads usage out of answers of one provider; each provider's `usage.ts` exports at least one. */
export interface UsageNormaliser {
  /** Names a person may use for the provider; the first is the usual one. */
  providerIds: readonly string[];
  /** Provider id in the price book; one the book does not list means that only overrides can price it. */
  priceProvider: string;
  /**
   * Reads a whole answer, or only `{ usage: … }` / `{ usageMetadata: … }` of it. Null when there is no usage in it.
   * Never throws.
   */
  fromAnswer(answer: unknown): NormalizedUsage | null;
}

export interface QuotedLine extends PriceLine {
  model: string;
}

export interface QuotedSubCall {
  model: string;
  costNanoUsd: bigint | null;
  priceStatus: PriceStatus;
  priceCard: string | null;
}

export interface Quote {
  /** Sum over the call and its sub-calls; null as soon as one of them has no price. */
  costNanoUsd: bigint | null;
  priceStatus: PriceStatus;
  /** Card of the call itself. */
  priceCard: string | null;
  lines: QuotedLine[];
  subCalls: QuotedSubCall[];
}

export interface QuoteRequest {
  /** One of the normalisers' `providerIds`. */
  provider: string;
  /** Model to price by, whatever the answer says. */
  model: string;
  atMs: number;
  answer: unknown;
}

/**
 * The normaliser for a name a person gave.
 * @throws AppError `invalid_request` naming the known providers.
 */
export function findNormaliser(normalisers: readonly UsageNormaliser[], provider: string): UsageNormaliser {
  const name = provider.toLowerCase();
  const found = normalisers.find((normaliser) => normaliser.providerIds.includes(name));
  if (found) return found;
  const known = normalisers.flatMap((normaliser) => normaliser.providerIds).sort();
  throw new AppError('invalid_request', {
    detail: `There is no provider called ${JSON.stringify(provider.slice(0, 64))}. Known ones: ${known.join(', ')}.`,
  });
}

/**
 * Prices one answer the way the gate would, without storing anything.
 * @throws AppError `invalid_request` when the provider is unknown.
 */
export function quoteAnswer(
  book: PriceBook,
  normalisers: readonly UsageNormaliser[],
  { provider, model, atMs, answer }: QuoteRequest,
): Quote {
  const normaliser = findNormaliser(normalisers, provider);
  const usage = normaliser.fromAnswer(answer);
  if (usage === null) {
    return { costNanoUsd: null, priceStatus: 'no_usage', priceCard: null, lines: [], subCalls: [] };
  }
  const price = (part: ModelUsage): PricedUsage =>
    priceUsage(book, { provider: normaliser.priceProvider, usage: part, fallbackModel: model, atMs });
  const main = price({ ...usage, model });
  const quote: Quote = {
    costNanoUsd: main.costNanoUsd,
    priceStatus: main.priceStatus,
    priceCard: main.priceCard,
    lines: main.lines.map((line) => ({ ...line, model })),
    subCalls: [],
  };
  for (const subCall of usage.subCalls) addSubCall(quote, subCall.model ?? model, price(subCall));
  return quote;
}

function addSubCall(quote: Quote, model: string, priced: PricedUsage): void {
  const { costNanoUsd, priceStatus, priceCard } = priced;
  quote.subCalls.push({ model, costNanoUsd, priceStatus, priceCard });
  quote.lines.push(...priced.lines.map((line) => ({ ...line, model })));
  if (priceStatus === 'no_usage') return;
  if (quote.priceStatus === 'no_usage') {
    // The call itself reports nothing: what its sub-calls cost is all there is.
    quote.costNanoUsd = costNanoUsd;
    quote.priceStatus = priceStatus;
    return;
  }
  if (costNanoUsd === null || quote.costNanoUsd === null) {
    quote.costNanoUsd = null;
    quote.priceStatus = 'unpriced';
    return;
  }
  quote.costNanoUsd += costNanoUsd;
  if (priceStatus === 'priced') quote.priceStatus = 'priced';
}
