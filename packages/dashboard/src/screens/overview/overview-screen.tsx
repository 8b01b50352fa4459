import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { anyRequestQuery, totalsQuery } from '../../app/api/queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { RoutePending } from '../../app/shell/route-states.tsx';
import { type Filters, pickFilters, withFilter, withoutFilters } from '../../app/url/filters.ts';
import { previousLabel, type RangeSearch } from '../../app/url/time-range.ts';
import type { OverviewSearch, Split } from '../../app/url/view-search.ts';
import { FilterBar } from '../../app/view/filter-bar.tsx';
import { useFilterOptions } from '../../app/view/filter-options.ts';
import { RangePicker } from '../../app/view/range-picker.tsx';
import { useScope } from '../../app/view/use-scope.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { LiveToggle } from '../../ui/live-toggle.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { useTitle } from '../../ui/use-title.ts';
import { Caveats } from './caveats.tsx';
import { FigureStrip } from './figure-strip.tsx';
import classes from './overview-screen.module.css';
import { RankedTable } from './ranked-table.tsx';
import { UsageChart } from './usage-chart.tsx';
import { useLiveUsage } from './use-live-usage.ts';
import { WhatChanged } from './what-changed.tsx';

/** Seen once in the life of an installation: not a part of the first load. */
const FirstSteps = lazy(async () => ({
  default: (await import('../first-steps/first-steps.tsx')).FirstSteps,
}));

export function OverviewScreen() {
  useTitle('Overview');
  const may = useMay();
  const any = useQuery({ ...anyRequestQuery(useApi()), enabled: may('logs.view') });
  const queryClient = useQueryClient();
  // The first steps are adding an account and a key: of use only to somebody who may.
  const mayBegin = may('accounts.manage') && may('keys.manage');
  if (mayBegin && any.data?.requests.length === 0) {
    return (
      <Suspense fallback={<RoutePending />}>
        <FirstSteps onArrived={() => void queryClient.invalidateQueries()} />
      </Suspense>
    );
  }
  return <Overview />;
}

function Overview() {
  const search: OverviewSearch = useSearch({ from: '/shell/' });
  const navigate = useNavigate();
  const [paused, setPaused] = useState(false);
  const scope = useScope(search, paused);
  const live = useLiveUsage(!paused && scope.range.preset !== null);
  const totals = useQuery(totalsQuery(useApi(), scope));
  const queryClient = useQueryClient();
  const failed = totals.isError && !totals.data;
  const options = useFilterOptions(scope);
  const { range, metric = 'spend', by = 'model' } = { ...search, range: scope.range };

  const { range: _r, from: _f, to: _t, ...unranged } = search;
  const { view: _w, ...withoutTable } = search;
  const go = (next: OverviewSearch): void => void navigate({ to: '/', search: next, resetScroll: false });
  const setRange = (next: RangeSearch): void => go({ ...unranged, ...next });
  const setFilters = (filters: Filters): void => go({ ...withoutFilters(search), ...filters });
  const pick = (group: Split, key: string): void => setFilters(withFilter(pickFilters(search), group, [key]));

  return (
    <>
      <PageHeader
        title="Overview"
        aside={
          <LiveToggle state={range.preset === null ? 'fixed' : live} onToggle={() => setPaused(!paused)} />
        }
      >
        <FilterBar filters={scope.filters} options={options} onChange={setFilters} />
        <RangePicker range={range} onChange={setRange} />
      </PageHeader>
      {failed && (
        <div className={panel.panel}>
          <ErrorState
            error={totals.error}
            title="The figures could not be loaded"
            onRetry={() => void queryClient.refetchQueries({ queryKey: ['usage'], type: 'active' })}
          />
        </div>
      )}
      <div className={panel.panel} hidden={failed}>
        <FigureStrip
          view={totals.data}
          metric={metric}
          against={previousLabel(range)}
          onMetric={(next) => go({ ...search, metric: next })}
        />
        {totals.data && <Caveats totals={totals.data.totals} search={search} />}
        <WhatChanged scope={scope} against={previousLabel(range)} onPick={pick} />
        <UsageChart
          scope={scope}
          metric={metric}
          split={by}
          table={search.view === 'table'}
          onSplit={(next) => go({ ...search, by: next })}
          onTable={(table) => go(table ? { ...search, view: 'table' } : withoutTable)}
          onBrush={setRange}
          onPick={pick}
        />
      </div>
      <div className={classes.ranked} hidden={failed}>
        <RankedTable scope={scope} group="model" title="Models" onPick={pick} />
        <RankedTable scope={scope} group="project" title="Projects" onPick={pick} />
        <RankedTable scope={scope} group="key" title="Keys" onPick={pick} />
      </div>
    </>
  );
}
