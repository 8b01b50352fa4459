import { TOKEN_BUCKETS, type TokenCounts } from '@tallygate/contract/usage';
import type { ModelUsage } from '../../accounting/usage.ts';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import { totalOutputTokens, weightedTokens } from '../../accounting/weighted-tokens.ts';
import type { ExchangeFacts } from '../exchange-facts.ts';
import type { CallHold } from './reserve.ts';

/**
 * Puts the bound on the row of a request that a refusing budget covers: what happened to it is not known, and the
 * budget must not forget what it may have cost. The row says `estimated` or `interrupted`.
 */
export function applyBound(event: UsageEvent, held: CallHold | null): void {
  if (held === null || held.bound === null || !held.hold.binding) return;
  const { bound, outputTokens } = held;
  const tokens = bound.tokenCounts(outputTokens);
  const cost = bound.costNanoUsd(outputTokens);
  event.tokens = tokens;
  event.weightedTokens = weightedTokens(tokens);
  event.costNanoUsd = cost === null ? null : BigInt(cost);
  event.priceCard = bound.priceCard;
  event.priceStatus = cost === null ? 'unpriced' : bound.free ? 'free' : 'priced';
}

/** False when the upstream cannot have billed anything: it never got the request, or answered with an error. */
export function mayBeBilled(facts: ExchangeFacts): boolean {
  return facts.sent && (facts.httpStatus === null || facts.httpStatus < 400);
}

const OUTPUT_BUCKETS = TOKEN_BUCKETS.filter((bucket) => bucket.startsWith('output'));

/**
 * The usage of an answer that was cut: input as the answer said, output as much as it was allowed. What the answer did
 * not come to say counts as the dearest kind of output.
 */
export function cutUsage(
  usage: ModelUsage,
  { bound, outputTokens }: Pick<CallHold, 'bound' | 'outputTokens'>,
): ModelUsage {
  if (bound === null) return usage;
  const most = bound.tokenCounts(outputTokens);
  const tokens: TokenCounts = { ...usage.tokens };
  const untold = totalOutputTokens(most) - totalOutputTokens(tokens);
  for (const bucket of OUTPUT_BUCKETS)
    if (most[bucket] !== null && untold > 0) tokens[bucket] = (tokens[bucket] ?? 0) + untold;
  const { calls: _calls, ...rest } = usage;
  return { ...rest, tokens };
}
