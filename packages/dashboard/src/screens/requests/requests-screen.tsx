import { IconArrowUp } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { requestsQuery } from '../../app/api/queries.ts';
import { countFilters, type Filters } from '../../app/url/filters.ts';
import { stringifySearch } from '../../app/url/search-params.ts';
import type { RangeSearch } from '../../app/url/time-range.ts';
import type { ViewSearch } from '../../app/url/view-search.ts';
import { FilterBar } from '../../app/view/filter-bar.tsx';
import { useFilterOptions } from '../../app/view/filter-options.ts';
import { RangePicker } from '../../app/view/range-picker.tsx';
import { useScope } from '../../app/view/use-scope.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { plural } from '../../ui/format/count.ts';
import { LiveToggle } from '../../ui/live-toggle.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { ListProvider } from './list-context.ts';
import { NoRequests } from './no-requests.tsx';
import { RequestList } from './request-list.tsx';
import { mergeRows } from './request-match.ts';
import classes from './requests-screen.module.css';
import { useLiveRequests } from './use-live-requests.ts';

export function RequestsScreen() {
  useTitle('Requests');
  const search: ViewSearch = useSearch({ from: '/shell/requests' });
  const { requestId } = useParams({ strict: false });
  const navigate = useNavigate();
  const view = useRequestRows(search);
  const options = useFilterOptions(view.scope);
  const go = (next: ViewSearch): void =>
    void (requestId === undefined
      ? navigate({ to: '/requests', search: next })
      : navigate({ to: '/requests/$requestId', params: { requestId }, search: next }));
  const { range, filters } = view.scope;
  const rangeSearch: RangeSearch =
    search.from !== undefined && search.to !== undefined
      ? { from: search.from, to: search.to }
      : search.range
        ? { range: search.range }
        : {};
  const neighbours = useMemo(
    () => ({
      neighbour: (id: string, step: 1 | -1): string | null => {
        const at = view.rows.findIndex((row) => row.id === id);
        return at < 0 ? null : (view.rows[at + step]?.id ?? null);
      },
    }),
    [view.rows],
  );
  return (
    <div className={classes.screen} data-panel={requestId !== undefined}>
      <PageHeader title="Requests" aside={<LiveToggle state={view.live} onToggle={view.togglePause} />}>
        <FilterBar
          filters={filters}
          options={options}
          onChange={(next: Filters) => go({ ...rangeSearch, ...next })}
        />
        <RangePicker range={range} onChange={(next) => go({ ...filters, ...next })} />
      </PageHeader>
      <div className={`${panel.panel} ${classes.panel}`}>
        {view.waiting > 0 && (
          <button type="button" className={classes.arrivals} onClick={view.showWaiting}>
            <IconArrowUp size={14} aria-hidden /> {plural(view.waiting, 'new request')}
          </button>
        )}
        <span className="sr-only" aria-live="polite">
          {view.waiting > 0 ? `${plural(view.waiting, 'new request')} above` : ''}
        </span>
        <ListBody view={view} requestId={requestId ?? null} search={search} />
      </div>
      <ListProvider value={neighbours}>
        <Outlet />
      </ListProvider>
    </div>
  );
}

type RequestRows = ReturnType<typeof useRequestRows>;

function ListBody({
  view,
  requestId,
  search,
}: {
  view: RequestRows;
  requestId: string | null;
  search: ViewSearch;
}) {
  const { query, rows } = view;
  const navigate = useNavigate();
  if (query.isError && rows.length === 0)
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending && rows.length === 0) {
    return (
      <div className={classes.state} aria-busy="true">
        <span className="sr-only">Loading the requests</span>
        <SkeletonLines lines={12} />
      </div>
    );
  }
  if (rows.length === 0) return <NoRequests filtered={countFilters(search) > 0} />;
  return (
    <RequestList
      key={view.listKey}
      rows={rows}
      selectedId={requestId}
      hasMore={query.hasNextPage}
      loadingMore={query.isFetchingNextPage}
      onMore={view.loadMore}
      onTop={view.setAtTop}
      searchText={stringifySearch({ ...search })}
      onOpen={(id) =>
        void navigate({ to: '/requests/$requestId', params: { requestId: id }, search, resetScroll: false })
      }
    />
  );
}

/** A stream that cannot be opened must not keep the list from loading. */
const STREAM_GRACE_MS = 1200;

/** The loaded pages and what has arrived since, as one list. New rows wait while the reader is further down. */
function useRequestRows(search: ViewSearch) {
  const api = useApi();
  const [openedAt, setOpenedAt] = useState(() => Date.now());
  const [paused, setPaused] = useState(false);
  const [atTop, setAtTop] = useState(true);
  const [shown, setShown] = useState(0);
  const scope = useScope(search, true);
  const follows = scope.range.preset !== null;
  const live = useLiveRequests(scope.filters, follows && !paused);
  const ready = useReady(live.state !== 'connecting' || !follows);
  const query = useInfiniteQuery({ ...requestsQuery(api, scope, openedAt), enabled: ready });
  const pages = query.data?.pages;
  const loaded = useMemo(() => (pages ?? []).flatMap((page) => page.requests), [pages]);
  const freshCount = live.fresh.length;
  useEffect(() => {
    if (atTop || freshCount < shown) setShown(freshCount);
  }, [atTop, freshCount, shown]);
  const rows = useMemo(
    () => mergeRows(live.fresh.slice(Math.max(0, freshCount - shown)), loaded),
    [live.fresh, freshCount, shown, loaded],
  );
  const { fetchNextPage } = query;
  const [jumps, setJumps] = useState(0);
  return {
    scope,
    query,
    rows,
    live: follows ? live.state : ('fixed' as const),
    waiting: freshCount - Math.min(shown, freshCount),
    listKey: `${openedAt}-${jumps}-${JSON.stringify(search)}`,
    setAtTop,
    showWaiting: () => {
      setShown(freshCount);
      setAtTop(true);
      setJumps(jumps + 1);
    },
    loadMore: useCallback(() => void fetchNextPage(), [fetchNextPage]),
    togglePause: () => {
      if (paused) {
        // What came in meanwhile is in the ledger: the list is read anew.
        live.clear();
        setShown(0);
        setOpenedAt(Date.now());
      }
      setPaused(!paused);
    },
  };
}

/** True once `condition` holds or a short grace has passed: rows written between the first page and the stream would be lost. */
function useReady(condition: boolean): boolean {
  const [ready, setReady] = useState(condition);
  useEffect(() => {
    if (condition) setReady(true);
    const timer = setTimeout(() => setReady(true), STREAM_GRACE_MS);
    return () => clearTimeout(timer);
  }, [condition]);
  return ready;
}
