import type { PriceQuote } from '@tallygate/contract/api/system';
import type { CostLineView } from '@tallygate/contract/api/usage';
import { formatNanoUsd } from '@tallygate/contract/money';
import type { PriceBook } from '../accounting/price-book.ts';
import { type PriceLine, priceUsage } from '../accounting/price-usage.ts';
import { quoteAnswer } from '../accounting/quote.ts';
import type { UsageEvent } from '../accounting/usage-event.ts';
import { NORMALISERS } from './normalisers.ts';

/** Pico-USD as an exact decimal string of dollars. */
function formatPicoUsd(pico: bigint): string {
  const digits = pico.toString().padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -12) : `${digits.slice(0, -12)}.${fraction}`;
}

function lineView(line: PriceLine): CostLineView {
  return {
    unit: line.unit,
    quantity: line.quantity,
    ratePicoUsd: line.ratePicoUsd.toString(),
    amountUsd: formatPicoUsd(line.amountPicoUsd),
  };
}

/**
 * Prices a provider's answer the way the gate would.
 * @throws AppError `invalid_request` when the provider is unknown
 */
export function quoteView(
  book: PriceBook,
  input: { provider: string; model: string; atMs: number; answer: unknown },
): PriceQuote {
  const quote = quoteAnswer(book, NORMALISERS, input);
  return {
    costUsd: quote.costNanoUsd === null ? null : formatNanoUsd(quote.costNanoUsd),
    priceStatus: quote.priceStatus,
    card: quote.priceCard,
    lines: quote.lines.map((line) => ({ ...lineView(line), model: line.model })),
  };
}

/** How the cost of a row came about; null when it has none, or when the card it was priced by is no longer in the book. */
export function costLinesView(
  book: PriceBook,
  event: UsageEvent,
  priceProvider: string | null,
): CostLineView[] | null {
  if (event.priceCard === null || priceProvider === null) return null;
  const { tokens, units, serviceTier, speed, geo, batch } = event;
  const priced = priceUsage(book, {
    provider: priceProvider,
    usage: { model: event.modelServed, tokens, units, serviceTier, speed, geo, batch },
    fallbackModel: event.modelRequested,
    atMs: event.startedAtMs,
  });
  return priced.priceCard === event.priceCard && priced.costNanoUsd === event.costNanoUsd
    ? priced.lines.map(lineView)
    : null;
}
