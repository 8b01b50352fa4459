import { useEffect, useState } from 'react';
import type { Scope } from '../api/queries.ts';
import { pickFilters } from '../url/filters.ts';
import { resolveRange } from '../url/time-range.ts';
import type { ViewSearch } from '../url/view-search.ts';

const MINUTE_MS = 60_000;

/**
 * The range and filters of the URL as instants. A range that ends now moves on with the minute, unless `held`; then
 * the view stands still at the moment it was paused.
 */
export function useScope(search: ViewSearch, held: boolean): Scope {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (held) return;
    const minute = (): void =>
      setNowMs((before) => {
        const now = Date.now();
        return Math.floor(now / MINUTE_MS) === Math.floor(before / MINUTE_MS) ? before : now;
      });
    minute();
    const timer = setInterval(minute, 2000);
    return () => clearInterval(timer);
  }, [held]);
  return { range: resolveRange(search, nowMs), filters: pickFilters(search) };
}
