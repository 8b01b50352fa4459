import type { PriceQuote } from '@tallygate/contract/api/system';
import { compilePriceBook } from '../accounting/price-book.ts';
import { loadSnapshot } from '../accounting/price-snapshot.ts';
import type { PriceOverrideRow } from '../store/store.ts';
import { quoteView } from './prices.ts';

/**
 * Prices a provider's answer without a server or a store.
 * @throws AppError `invalid_request` when the provider is unknown
 */
export function quoteOffline(
  input: { provider: string; model: string; atMs: number; answer: unknown },
  overrides: readonly PriceOverrideRow[] = [],
): PriceQuote {
  return quoteView(compilePriceBook(loadSnapshot(), overrides), input);
}
