import { nameTable } from '../../kernel/name-table.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
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
/** Names of headers that are remembered, as they are spelt. */
const MAX_NAMES = 1024;
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

function policyName({ measure, windowMs }: RateLimit): string {
  const name = measure.replaceAll('_', '-');
  return windowMs === null ? name : `${name}-per-${WINDOW_NAMES.get(windowMs) ?? `${windowMs}ms`}`;
}

function policyOf({ limit, measure, windowMs }: RateLimit): string {
  const unit = QUOTA_UNITS[measure];
  const window = windowMs === null ? '' : `;w=${seconds(windowMs)}`;
  return `;q=${limit}${window}${unit === undefined ? '' : `;qu="${unit}"`}`;
}

/** What is said of a limit in every answer. */
interface Texts {
  name: string;
  policy: string;
  family: LimitState['family'] | undefined;
}

const texts = new WeakMap<RateLimit, Texts>();

/** Worked out once for each limit: one that is changed is another object. */
function textsOf(limit: RateLimit): Texts {
  const known = texts.get(limit);
  if (known !== undefined) return known;
  const name = policyName(limit);
  const made = { name, policy: `"${name}"${policyOf(limit)}`, family: FAMILIES[limit.measure] };
  texts.set(limit, made);
  return made;
}

/** Of several counts that would have one name the one with the least left. */
function tightest<N extends string>(
  standings: readonly RateStanding[],
  nameOf: (standing: RateStanding) => N | undefined,
): Map<N, RateStanding> {
  const found = new Map<N, RateStanding>();
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
  for (const [name, standing] of tightest(standings, ({ limit }) => textsOf(limit).name)) {
    policies.push(textsOf(standing.limit).policy);
    const reset = standing.limit.windowMs === null ? '' : `;t=${seconds(standing.msUntilEmpty)}`;
    states.push(`"${name}";r=${standing.left}${reset}`);
  }
  const list = ['ratelimit-policy', policies.join(', '), 'ratelimit', states.join(', ')];
  const write = writers[dialect];
  if (write === null) return list;
  for (const [family, { limit, left, msUntilEmpty }] of tightest(
    standings,
    ({ limit }) => textsOf(limit).family,
  ))
    list.push(...write({ family, limit: limit.limit, left, msUntilReset: msUntilEmpty }, nowMs));
  return list;
}

/** A name in small letters, if it is about limits; null for all others. Worked out once for each spelling. */
const limitName = nameTable((name: string): string | null => {
  const lower = name.toLowerCase();
  return lower.includes('ratelimit') ? lower : null;
}, MAX_NAMES);

/**
 * Adds the headers of limits to an answer of an upstream. What the upstream says of its own limits stays.
 * @param list flat list of name, value; added to
 */
export function addLimitHeaders(list: string[], headers: readonly string[]): void {
  const own = new Set<string>();
  for (let i = 0; i < list.length; i += 2) {
    const name = limitName(list[i] ?? '');
    if (name !== null) own.add(name);
  }
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!own.has(name)) list.push(name, headers[i + 1] ?? '');
  }
}
