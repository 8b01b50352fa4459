import { useEffect, useRef, useState } from 'react';

export type StreamState = 'connecting' | 'live' | 'lost' | 'paused';

/**
 * Follows one kind of event of an SSE endpoint while `enabled`. The browser reconnects by itself and sends
 * `Last-Event-ID`, so nothing is missed in between; after a refusal (a closed stream) this asks again with a delay.
 */
export function useEventStream(options: {
  url: string;
  event: string;
  enabled: boolean;
  onEvent: (data: string) => void;
}): StreamState {
  const { url, event, enabled } = options;
  const [state, setState] = useState<StreamState>('connecting');
  const handler = useRef(options.onEvent);
  useEffect(() => {
    handler.current = options.onEvent;
  });
  useEffect(() => {
    if (!enabled) {
      setState('paused');
      return;
    }
    setState('connecting');
    return follow(url, event, { onState: setState, onEvent: (data) => handler.current(data) });
  }, [url, event, enabled]);
  return state;
}

const RETRY_MS = 4000;

function follow(
  url: string,
  event: string,
  on: { onState: (state: StreamState) => void; onEvent: (data: string) => void },
): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource(url);
    source.addEventListener('open', () => on.onState('live'));
    source.addEventListener(event, (message) => on.onEvent((message as MessageEvent<string>).data));
    source.addEventListener('error', () => {
      on.onState('lost');
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
