import { useComputedColorScheme } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDownload, IconTable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { type Scope, timeseriesQuery } from '../../app/api/queries.ts';
import { brushedRange, type RangeSearch, STEP_MS } from '../../app/url/time-range.ts';
import { type Metric, SPLITS, type Split } from '../../app/url/view-search.ts';
import type { ChartModel } from '../../ui/chart/chart-model.ts';
import { Plot } from '../../ui/chart/plot.tsx';
import { downloadText } from '../../ui/download.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { buildChart, isStacked } from './build-chart.ts';
import { chartCsv } from './chart-csv.ts';
import { ChartLegend } from './chart-legend.tsx';
import { ChartTable } from './chart-table.tsx';
import { formatAxis, METRIC_LABELS, SPLIT_LABELS } from './metric-text.ts';
import classes from './usage-chart.module.css';

interface Props {
  scope: Scope;
  metric: Metric;
  split: Split;
  table: boolean;
  onSplit: (split: Split) => void;
  onTable: (table: boolean) => void;
  onBrush: (range: RangeSearch) => void;
  onPick: (split: Split, key: string) => void;
}

/** One question: how did this figure move over the range, and who made it. */
export function UsageChart(props: Props) {
  const { scope, metric, split, table } = props;
  const stacked = isStacked(metric);
  const query = useQuery(timeseriesQuery(useApi(), scope, stacked ? split : null));
  const { fromMs, toMs, step } = scope.range;
  const model = useMemo(
    () => query.data && buildChart(query.data.series, metric, { fromMs, toMs, stepMs: STEP_MS[step] }),
    [query.data, metric, fromMs, toMs, step],
  );
  const title = stacked
    ? `${METRIC_LABELS[metric]} by ${SPLIT_LABELS[split].toLowerCase()}`
    : METRIC_LABELS[metric];
  return (
    <section aria-label={title}>
      <div className={classes.head}>
        <h2>
          {title} <span className={classes.step}>per {step === 'day' ? 'UTC day' : step}</span>
        </h2>
        <div className={classes.tools}>
          {stacked && (
            <fieldset className={classes.splits} aria-label="Split by">
              {SPLITS.map((item) => (
                <button
                  key={item}
                  type="button"
                  aria-pressed={item === split}
                  onClick={() => props.onSplit(item)}
                >
                  {SPLIT_LABELS[item]}
                </button>
              ))}
            </fieldset>
          )}
          <button
            type="button"
            className={classes.tool}
            aria-pressed={table}
            onClick={() => props.onTable(!table)}
          >
            <IconTable size={16} stroke={1.7} aria-hidden /> Table
          </button>
          <button
            type="button"
            className={classes.tool}
            disabled={!model}
            onClick={() => model && downloadText(`tallygate-${metric}-${split}.csv`, chartCsv(model))}
          >
            <IconDownload size={16} stroke={1.7} aria-hidden /> CSV
          </button>
        </div>
      </div>
      {query.isError && !model && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <ChartSkeleton />}
      {model && table && <ChartTable model={model} metric={metric} step={step} />}
      {model && !table && (
        <ChartBody {...props} model={model} title={title} stale={query.isPlaceholderData} />
      )}
    </section>
  );
}

function ChartBody(props: Props & { model: ChartModel; title: string; stale: boolean }) {
  const { model, metric, split, scope } = props;
  const [bucket, setBucket] = useState<number | null>(null);
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const phone = useMediaQuery('(max-width: 640px)', false, { getInitialValueInEffect: false });
  const { step } = scope.range;
  return (
    <div className={classes.body} data-stale={props.stale}>
      <Plot
        model={model}
        height={phone ? 200 : 264}
        themeKey={scheme}
        utc={step === 'day'}
        formatAxis={(value) => formatAxis(metric, value)}
        onHover={setBucket}
        onBrush={(from, to) => props.onBrush(brushedRange(from, to, step))}
        label={`${props.title}, chart. The same figures are in the table view.`}
      />
      <ChartLegend
        model={model}
        metric={metric}
        step={step}
        bucket={bucket}
        onPick={isStacked(metric) ? (key) => props.onPick(split, key) : null}
      />
    </div>
  );
}

function ChartSkeleton() {
  return (
    <div className={classes.body} aria-busy="true">
      <span className="sr-only">Loading the chart</span>
      <div className={classes.bones}>
        <Skeleton height={230} />
      </div>
    </div>
  );
}
