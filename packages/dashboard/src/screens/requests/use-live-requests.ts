import type { RequestView } from '@tallygate/contract/api/usage';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type StreamState, useEventStream } from '../../app/api/event-stream.ts';
import { type Filters, pickFilters } from '../../app/url/filters.ts';
import { stringifySearch } from '../../app/url/search-params.ts';
import { addArrivals, matchesFilters } from './request-match.ts';

/** Arrivals are put on screen in batches, so that a thousand requests a second do not mean a thousand renders. */
const BATCH_MS = 200;
/** Beyond this the oldest arrivals leave; the list below can be loaded again. */
const MAX_FRESH = 5000;

export interface LiveRequests {
  state: StreamState;
  /** What the stream has brought, newest first. */
  fresh: RequestView[];
  clear: () => void;
}

/** Collects the requests that arrive while the screen is open. */
export function useLiveRequests(filters: Filters, enabled: boolean): LiveRequests {
  const [fresh, setFresh] = useState<RequestView[]>([]);
  const pending = useRef<RequestView[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const clear = useCallback(() => {
    pending.current = [];
    setFresh([]);
  }, []);
  const url = `/api/requests/stream${stringifySearch(pickFilters(filters))}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, another list
  useEffect(() => clear, [url, clear]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  const state = useEventStream({
    url,
    event: 'request',
    enabled,
    onEvent: (data) => {
      const row = JSON.parse(data) as RequestView;
      if (!matchesFilters(row, filters)) return;
      pending.current.push(row);
      timer.current ??= setTimeout(() => {
        timer.current = null;
        const arrivals = pending.current;
        pending.current = [];
        setFresh((before) => addArrivals(before, arrivals, MAX_FRESH));
      }, BATCH_MS);
    },
  });
  return { state, fresh, clear };
}
