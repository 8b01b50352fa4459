import { IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import { useApi } from '../../../app/api/api-context.tsx';
import { requestDetailQuery } from '../../../app/api/queries.ts';
import { ErrorState } from '../../../ui/error-state.tsx';
import { SkeletonLines } from '../../../ui/skeleton.tsx';
import { useListNeighbours } from '../list-context.ts';
import { RequestDetail } from './request-detail.tsx';
import classes from './request-panel.module.css';

/** The side panel. Its address can be sent to somebody; Esc closes it, ↑ and ↓ go through the list. */
export function RequestPanel() {
  const { requestId } = useParams({ from: '/shell/requests/$requestId' });
  const navigate = useNavigate();
  const { neighbour } = useListNeighbours();
  const query = useQuery(requestDetailQuery(useApi(), requestId));
  const close = useCallback(
    () => void navigate({ to: '/requests', search: (old) => old as object, resetScroll: false }),
    [navigate],
  );
  const move = useCallback(
    (step: 1 | -1): void => {
      const next = neighbour(requestId, step);
      if (next === null) return;
      void navigate({
        to: '/requests/$requestId',
        params: { requestId: next },
        search: (old) => old as object,
        replace: true,
        resetScroll: false,
      });
    },
    [navigate, neighbour, requestId],
  );
  usePanelKeys(close, move);
  const root = useFocusOnce();
  return (
    <aside className={classes.panel} aria-label="Request" ref={root} tabIndex={-1}>
      <div className={classes.bar}>
        <h2>Request</h2>
        <div className={classes.buttons}>
          <button
            type="button"
            onClick={() => move(-1)}
            disabled={neighbour(requestId, -1) === null}
            aria-label="Newer request"
          >
            <IconChevronUp size={18} aria-hidden />
          </button>
          <button
            type="button"
            onClick={() => move(1)}
            disabled={neighbour(requestId, 1) === null}
            aria-label="Older request"
          >
            <IconChevronDown size={18} aria-hidden />
          </button>
          <button type="button" onClick={close} aria-label="Close">
            <IconX size={18} aria-hidden />
          </button>
        </div>
      </div>
      <div className={classes.content}>
        {query.isPending && (
          <div aria-busy="true">
            <span className="sr-only">Loading the request</span>
            <SkeletonLines lines={9} />
          </div>
        )}
        {query.isError && !query.data && (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.data && <RequestDetail detail={query.data} />}
      </div>
    </aside>
  );
}

function usePanelKeys(close: () => void, move: (step: 1 | -1) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const busy = target.closest('input, textarea, select, [role="dialog"], [role="menu"], pre') !== null;
      if (busy || event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === 'Escape') close();
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      event.preventDefault();
      move(event.key === 'ArrowDown' ? 1 : -1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [close, move]);
}

/** Focus goes into the panel when it opens, and back to where it came from when it closes. */
function useFocusOnce() {
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    root.current?.focus({ preventScroll: true });
    return () => {
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return root;
}
