import { usageError } from '../../cli-error.ts';
import { resolveMoment } from '../../options/parsers.ts';
import type { MaybeMoment } from '../usage-filters.ts';

/** The range as the API takes it; an end that was not given is open. */
export function rollupRangeOf(
  { since, until }: { since: MaybeMoment; until: MaybeMoment },
  now: Date,
): { from?: string; to?: string } {
  const from = since === undefined ? undefined : resolveMoment(since, now).toISOString();
  const to = until === undefined ? undefined : resolveMoment(until, now).toISOString();
  if (from !== undefined && to !== undefined && from >= to) {
    throw usageError('The range is empty: it begins at or after its end.');
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
