import type { RateLimit, TokenAmounts } from '../rate-limit.ts';
import type { RateDecision, RateLease, RateStanding } from '../rate-state.ts';
import type { SharedPart } from './shared-lease.ts';

/** What one request wants of one count. */
export type Wanted = Pick<SharedPart, 'limit' | 'keys' | 'partition' | 'amount'>;

/** What one request asks of its limits, as the script reads it. */
export interface RateAsking {
  lease: string;
  wanted: readonly Wanted[];
  keys: readonly string[];
  args: readonly string[];
}

export type RateFound = { parts: SharedPart[] } | Exclude<RateDecision, null | { lease: RateLease }>;

/** What the answer of Redis comes to. */
export function partsOf({ wanted }: RateAsking, answer: readonly string[]): RateFound {
  const [verdict, which, wait, ...numbers] = answer;
  const standings = wanted.map(({ limit, partition }, i) => standing(limit, partition, numbers.slice(i * 4)));
  const refused = wanted[Number(which)];
  if (verdict === 'no' && refused !== undefined) {
    const retryAfterMs = Number(wait) < 0 ? null : Number(wait);
    return { refusal: { limit: refused.limit, needed: refused.amount, retryAfterMs, standings } };
  }
  const parts = wanted.flatMap((part, i): SharedPart[] => {
    const here = standings[i];
    return here ? [{ ...part, slice: numbers[i * 4 + 3] ?? '0', standing: here, ended: false }] : [];
  });
  return { parts };
}

/** How one count stands, from what Redis says of it. */
export function standing(limit: RateLimit, partition: string, numbers: readonly string[]): RateStanding {
  const [settled = 0, held = 0, msUntilEmpty = 0] = numbers.slice(0, 3).map(Number);
  const used = settled + held;
  return { limit, partition, used, held, left: Math.max(0, limit.limit - used), msUntilEmpty };
}

/** Asks for the bound at most once, whoever decides. */
export function once(bound: () => TokenAmounts): () => TokenAmounts {
  let known: TokenAmounts | null = null;
  return () => {
    known ??= bound();
    return known;
  };
}
