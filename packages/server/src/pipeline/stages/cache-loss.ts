import { priceUsage } from '../../accounting/price-usage.ts';
import type { ModelUsage } from '../../accounting/usage.ts';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import type { CacheMemory } from '../../pool/cache-memory.ts';
import type { Call } from '../call.ts';

type Tokens = ModelUsage['tokens'];

/** Where tokens that were not read from the cache are billed; the dearest first, as a lost cache is written anew. */
const FRESH = ['cacheWrite1h', 'cacheWrite5m', 'cacheWriteOther', 'inputUncached'] as const;

/** The same input, had these tokens come from the cache. */
function fromCache(tokens: Tokens, lost: number): Tokens {
  const moved = { ...tokens };
  let left = lost;
  for (const bucket of FRESH) {
    const taken = Math.min(left, moved[bucket] ?? 0);
    if (taken === 0) continue;
    moved[bucket] = (moved[bucket] ?? 0) - taken;
    left -= taken;
  }
  moved.cacheRead = (moved.cacheRead ?? 0) + lost - left;
  return moved;
}

/**
 * Notes where the session's prompt cache is now, and writes onto the row what it cost that the session came from
 * another account (CF-05).
 */
export function noteCacheLoss(memory: CacheMemory, call: Call, event: UsageEvent, usage: ModelUsage): void {
  const { affinity } = call.facts;
  const model = event.modelServed ?? call.facts.model;
  if (affinity === null || model === null || call.snapshot.accounts.length < 2) return;
  const { tokens } = usage;
  const written = (tokens.cacheWrite5m ?? 0) + (tokens.cacheWrite1h ?? 0) + (tokens.cacheWriteOther ?? 0);
  const lost = memory.answered(
    { affinity, model },
    call.account.state.number,
    {
      cachedTokens: (tokens.cacheRead ?? 0) + written,
      freshTokens: (tokens.inputUncached ?? 0) + written,
      longLived: (tokens.cacheWrite1h ?? 0) > 0,
    },
    event.endedAtMs ?? call.startedAtMs,
  );
  if (lost === 0) return;
  event.cacheLostTokens = lost;
  const provider = call.account.priceProvider;
  if (event.costNanoUsd === null || provider === null) return;
  const cheaper = priceUsage(call.snapshot.prices, {
    provider,
    usage: { ...usage, tokens: fromCache(tokens, lost) },
    fallbackModel: call.facts.model,
    atMs: call.startedAtMs,
  });
  if (cheaper.costNanoUsd === null) return;
  const loss = event.costNanoUsd - cheaper.costNanoUsd;
  event.cacheLossNanoUsd = loss > 0n ? loss : 0n;
}
