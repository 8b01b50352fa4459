import type { Config } from '../config/settings.ts';
import type { RateLimit } from '../limits/rate-limit.ts';

/** The limits that settings make: the same for every key, every session and every address (CW-04). */
export function settledLimits({ rateLimitMaxRequests, rateLimitWindowMs }: Config): RateLimit[] {
  if (rateLimitMaxRequests === null) return [];
  return (['key', 'session', 'address'] as const).map((per) => ({
    id: `setting:${per}`,
    workspaceId: null,
    name: `RATE_LIMIT_MAX_REQUESTS per ${per}`,
    scope: [],
    per,
    measure: 'requests',
    limit: rateLimitMaxRequests,
    windowMs: rateLimitWindowMs,
    burst: null,
  }));
}
