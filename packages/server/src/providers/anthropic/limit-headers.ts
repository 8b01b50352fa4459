import { nameTable } from '../../kernel/name-table.ts';
import type { LimitHeaderWriter } from '../provider.ts';

/** Names of the headers begin so by which Claude Code knows how full its windows of five hours and seven days are. */
export const ANTHROPIC_UTILISATION_PREFIX = 'anthropic-ratelimit-unified-';

const MAX_FAMILIES = 16;
const MAX_INSTANTS = 64;

const namesOf = nameTable((family: string) => {
  const prefix = `anthropic-ratelimit-${family}`;
  return { limit: `${prefix}-limit`, remaining: `${prefix}-remaining`, reset: `${prefix}-reset` };
}, MAX_FAMILIES);

const instants = new Map<number, string>();

/** Many answers of one second name the same few instants. */
function instantText(epochSeconds: number): string {
  const known = instants.get(epochSeconds);
  if (known !== undefined) return known;
  const text = `${new Date(epochSeconds * 1000).toISOString().slice(0, 19)}Z`;
  if (instants.size >= MAX_INSTANTS) instants.clear();
  instants.set(epochSeconds, text);
  return text;
}

/** Headers of the Messages API ("Rate limits", response headers): the reset is an instant, RFC 3339. */
export const anthropicLimitHeaders: LimitHeaderWriter = ({ family, limit, left, msUntilReset }, nowMs) => {
  const names = namesOf(family);
  const reset = instantText(Math.ceil((nowMs + msUntilReset) / 1000));
  return [names.limit, String(limit), names.remaining, String(left), names.reset, reset];
};
