import type { LimitHeaderWriter } from '../provider.ts';

/** A length of time the way the API writes it: `1s`, `6m0s`, `1h0m0s`. */
function duration(ms: number): string {
  const all = Math.ceil(ms / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60];
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** Headers of the API (guide "Rate limits", "Rate limits in headers"): requests and tokens, no directions. */
export const openaiLimitHeaders: LimitHeaderWriter = ({ family, limit, left, msUntilReset }) => {
  if (family !== 'requests' && family !== 'tokens') return [];
  return [
    `x-ratelimit-limit-${family}`,
    String(limit),
    `x-ratelimit-remaining-${family}`,
    String(left),
    `x-ratelimit-reset-${family}`,
    duration(msUntilReset),
  ];
};
