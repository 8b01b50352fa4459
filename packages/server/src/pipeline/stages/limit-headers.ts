import type { RateStanding } from '../../limits/rate-state.ts';
import type { Dialect, LimitHeaderWriter, LimitState } from '../../providers/provider.ts';

/** What telling clients about limits needs. */
export interface LimitTelling {
  writers: Readonly<Record<Dialect, LimitHeaderWriter | null>>;
  nowMs: number;
  monotonicMs: number;
}

const WINDOW_NAMES: ReadonlyMap<number, string> = new Map([
  [60_000, 'minute'],
  [3_600_000, 'hour'],
  [86_400_000, 'day'],
]);
/** The unit of a quota that says nothing is requests. */
const QUOTA_UNITS: Readonly<Record<string, string>> = {
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
  concurrent_requests: 'concurrent-requests',
  concurrent_streams: 'concurrent-streams',
};
const FAMILIES: Readonly<Record<string, LimitState['family']>> = {
  requests: 'requests',
  tokens: 'tokens',
  input_tokens: 'input-tokens',
  output_tokens: 'output-tokens',
};

const seconds = (ms: number): number => Math.ceil(ms / 1000);

function policyName({ limit: { measure, windowMs } }: RateStanding): string {
  const name = measure.replaceAll('_', '-');
  return windowMs === null ? name : `${name}-per-${WINDOW_NAMES.get(windowMs) ?? `${windowMs}ms`}`;
}

function policyOf({ limit: { limit, measure, windowMs } }: RateStanding): string {
  const unit = QUOTA_UNITS[measure];
  const window = windowMs === null ? '' : `;w=${seconds(windowMs)}`;
  return `;q=${limit}${window}${unit === undefined ? '' : `;qu="${unit}"`}`;
}

/** Of several counts that would have one name the one with the least left. */
function tightest(
  standings: readonly RateStanding[],
  nameOf: (standing: RateStanding) => string | undefined,
): Map<string, RateStanding> {
  const found = new Map<string, RateStanding>();
  for (const standing of standings) {
    const name = nameOf(standing);
    const known = name === undefined ? undefined : found.get(name);
    if (name !== undefined && (known === undefined || standing.left < known.left)) found.set(name, standing);
  }
  return found;
}

/**
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and the headers that clients of the
 * dialect know.
 * @returns flat list of name, value
 */
export function limitHeaders(
  standings: readonly RateStanding[],
  { writers, nowMs }: LimitTelling,
  dialect: Dialect,
): string[] {
  const policies: string[] = [];
  const states: string[] = [];
  for (const [name, standing] of tightest(standings, policyName)) {
    policies.push(`"${name}"${policyOf(standing)}`);
    const reset = standing.limit.windowMs === null ? '' : `;t=${seconds(standing.msUntilEmpty)}`;
    states.push(`"${name}";r=${standing.left}${reset}`);
  }
  const list = ['ratelimit-policy', policies.join(', '), 'ratelimit', states.join(', ')];
  const write = writers[dialect];
  if (write === null) return list;
  const families = tightest(standings, ({ limit }) => FAMILIES[limit.measure]);
  for (const [, { limit, left, msUntilEmpty }] of families) {
    const family = FAMILIES[limit.measure];
    if (family !== undefined)
      list.push(...write({ family, limit: limit.limit, left, msUntilReset: msUntilEmpty }, nowMs));
  }
  return list;
}

/**
 * Adds the headers of limits to an answer of an upstream. What the upstream says of its own limits stays.
 * @param list flat list of name, value; added to
 */
export function addLimitHeaders(list: string[], headers: readonly string[]): void {
  const own = new Set(list.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    if (!own.has(name)) list.push(name, value);
  }
}
