import type { LimitHeaderWriter } from '../provider.ts';

/** Headers of the Messages API ("Rate limits", response headers): the reset is an instant, RFC 3339. */
export const anthropicLimitHeaders: LimitHeaderWriter = ({ family, limit, left, msUntilReset }, nowMs) => {
  const prefix = `anthropic-ratelimit-${family}`;
  const reset = `${new Date(Math.ceil((nowMs + msUntilReset) / 1000) * 1000).toISOString().slice(0, 19)}Z`;
  return [`${prefix}-limit`, String(limit), `${prefix}-remaining`, String(left), `${prefix}-reset`, reset];
};
