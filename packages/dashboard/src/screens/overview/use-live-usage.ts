import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type StreamState, useEventStream } from '../../app/api/event-stream.ts';

/** Under heavy traffic the figures are asked for this often, and no more. */
const REFRESH_MS = 2500;

/** Refreshes the figures as traffic arrives: at once after a quiet time, then at most every 2.5 s. */
export function useLiveUsage(enabled: boolean): StreamState {
  const queryClient = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastAt = useRef(0);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  return useEventStream({
    url: '/api/usage/stream',
    event: 'totals',
    enabled,
    onEvent: () => {
      if (timer.current !== null) return;
      const wait = Math.max(150, lastAt.current + REFRESH_MS - Date.now());
      timer.current = setTimeout(() => {
        timer.current = null;
        lastAt.current = Date.now();
        void queryClient.invalidateQueries({ queryKey: ['usage'] });
      }, wait);
    },
  });
}
