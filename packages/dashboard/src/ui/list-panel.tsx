import type { ReactNode } from 'react';
import { ErrorState } from './error-state.tsx';
import panel from './panel.module.css';
import { SectionState } from './section.tsx';
import { SkeletonLines } from './skeleton.tsx';

/** What of a query a list needs. */
interface Asked {
  isPending: boolean;
  isError: boolean;
  data: unknown;
  error: unknown;
  refetch: () => unknown;
}

/** The panel of a list: on its way, failed, empty, or there. What was read once stays when a later reading fails. */
export function ListPanel(props: {
  query: Asked;
  /** Completes "Loading the …". */
  what: string;
  lines?: number;
  isEmpty: boolean;
  empty: ReactNode;
  children: ReactNode;
}) {
  const { query, what, lines = 5, isEmpty, empty, children } = props;
  const read = query.data !== undefined;
  return (
    <div className={panel.panel}>
      {query.isPending && (
        <SectionState>
          <div aria-busy="true">
            <span className="sr-only">Loading the {what}</span>
            <SkeletonLines lines={lines} />
          </div>
        </SectionState>
      )}
      {query.isError && !read && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {read && (isEmpty ? empty : children)}
    </div>
  );
}
