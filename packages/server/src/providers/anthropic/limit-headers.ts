import type { LimitHeaderWriter } from '../provider.ts';

/** Names of the headers begin so by which Claude Code knows how full its windows of five hours and seven days are. */
export const ANTHROPIC_UTILISATION_PREFIX = 'anthropic-ratelimit-unified-';

/** Headers of the Messages API ("Rate limits", response headers): the reset is an instant, RFC 3339. */
export const anthropicLimitHeaders: LimitHeaderWriter = ({ family, limit, left, msUntilReset }, nowMs) => {
  const prefix = `anthropic-ratelimit-${family}`;
  const reset = `${new Date(Math.ceil((nowMs + msUntilReset) / 1000) * 1000).toISOString().slice(0, 19)}Z`;
  return [`${prefix}-limit`, String(limit), `${prefix}-remaining`, String(left), `${prefix}-reset`, reset];
};
