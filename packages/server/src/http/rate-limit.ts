import type { RateClass } from '../admin/route.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';

interface Allowance {
  /** Calls that may come at once. */
  burst: number;
  perSecond: number;
}

/** Far above what people and scripts need; they bound what one caller can make this process do. */
const ALLOWANCES: Readonly<Record<Exclude<RateClass, 'none'>, Allowance>> = {
  read: { burst: 600, perSecond: 100 },
  write: { burst: 200, perSecond: 20 },
  'sign-in': { burst: 60, perSecond: 1 },
  heavy: { burst: 20, perSecond: 0.5 },
  /** What browsers send by themselves; nothing is lost when some of it is refused. */
  report: { burst: 30, perSecond: 0.2 },
};
/** Least recently seen callers leave first. */
const MAX_CALLERS = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets per caller and class, in this process's memory. */
export interface RateLimit {
  /** @throws AppError `rate_limited` with the seconds to wait */
  take(rateClass: RateClass, caller: string): void;
}

export function createRateLimit(clock: Clock): RateLimit {
  const buckets = new Map<string, Bucket>();
  return {
    take(rateClass, caller) {
      if (rateClass === 'none') return;
      const { burst, perSecond } = ALLOWANCES[rateClass];
      const key = `${rateClass} ${caller}`;
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs };
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
      bucket.atMs = nowMs;
      buckets.delete(key);
      buckets.set(key, bucket);
      const oldest = buckets.size > MAX_CALLERS ? buckets.keys().next().value : undefined;
      if (oldest !== undefined) buckets.delete(oldest);
      if (bucket.tokens < 1) {
        throw new AppError('rate_limited', { retryAfterSeconds: Math.ceil((1 - bucket.tokens) / perSecond) });
      }
      bucket.tokens -= 1;
    },
  };
}
