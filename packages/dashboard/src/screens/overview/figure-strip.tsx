import type { TotalsView } from '@tallygate/contract/api/usage';
import type { ReactNode } from 'react';
import type { Metric } from '../../app/url/view-search.ts';
import { Count, Duration, Money } from '../../ui/figures.tsx';
import { formatPercent } from '../../ui/format/count.ts';
import { type Delta, pointsDelta, relativeDelta } from '../../ui/format/delta.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import classes from './figure-strip.module.css';

interface Props {
  view: TotalsView | undefined;
  metric: Metric;
  against: string;
  onMetric: (metric: Metric) => void;
}

/** The figures of the range. Each is also the switch that puts itself into the chart. */
export function FigureStrip({ view, metric, against, onMetric }: Props) {
  const now = view?.totals;
  const was = view?.previous ?? null;
  const figure = (
    name: Metric,
    label: string,
    parts: Omit<FigureProps, 'label' | 'active' | 'onPick' | 'against'>,
  ) => (
    <Figure
      label={label}
      active={metric === name}
      onPick={() => onMetric(name)}
      against={against}
      {...parts}
    />
  );
  return (
    <fieldset className={classes.strip} aria-label="Figures; each shows itself in the chart">
      {figure('spend', 'Spend', {
        value: now && <Money usd={now.costUsd} />,
        delta: now && was && relativeDelta(Number(now.costUsd), Number(was.costUsd)),
        good: 'neither',
      })}
      {figure('tokens', 'Tokens', {
        value: now && <Count value={now.totalTokens} />,
        delta: now && was && relativeDelta(now.totalTokens, was.totalTokens),
        good: 'neither',
        note: now && (
          <>
            <Count value={now.weightedTokens} /> weighted
          </>
        ),
        noteTitle: 'Weighted by price: cache reads count 0.1, cache writes 1.25 or 2, output 5',
      })}
      {figure('requests', 'Requests', {
        value: now && <Count value={now.requests} />,
        delta: now && was && relativeDelta(now.requests, was.requests),
        good: 'neither',
      })}
      {figure('errors', 'Errors', {
        value: now && <Count value={now.errors} />,
        delta: now && was && relativeDelta(now.errors, was.errors),
        good: 'down',
        note: now && now.requests > 0 && `${formatPercent(now.errors / now.requests)} of requests`,
      })}
      {figure('cache', 'Cache-hit share', {
        value:
          now &&
          (now.cacheHitRatio === null ? (
            <span className={classes.none}>no input</span>
          ) : (
            formatPercent(now.cacheHitRatio)
          )),
        delta:
          now?.cacheHitRatio != null && was?.cacheHitRatio != null
            ? pointsDelta(now.cacheHitRatio, was.cacheHitRatio)
            : null,
        good: 'up',
      })}
      <LatencyFigure
        view={view}
        active={metric === 'latency'}
        onPick={() => onMetric('latency')}
        against={against}
      />
    </fieldset>
  );
}

interface FigureProps {
  label: string;
  value: ReactNode;
  delta: Delta | null | undefined;
  good: 'up' | 'down' | 'neither';
  note?: ReactNode;
  noteTitle?: string;
  active: boolean;
  against: string;
  onPick: () => void;
}

function Figure(props: FigureProps) {
  return (
    <button type="button" className={classes.figure} aria-pressed={props.active} onClick={props.onPick}>
      <span className={classes.label}>{props.label}</span>
      <span className={classes.value}>{props.value ?? <Skeleton width={92} height={26} />}</span>
      {props.value === undefined ? (
        <Skeleton width={120} height={12} />
      ) : (
        <span className={classes.delta}>
          <DeltaText delta={props.delta ?? null} good={props.good} against={props.against} />
        </span>
      )}
      {props.note && (
        <span className={classes.note} title={props.noteTitle}>
          {props.note}
        </span>
      )}
    </button>
  );
}

function DeltaText({
  delta,
  good,
  against,
}: {
  delta: Delta | null;
  good: FigureProps['good'];
  against: string;
}) {
  if (delta === null) return <>nothing in the {against}</>;
  const tone =
    good === 'neither' || delta.direction === 'flat' ? 'plain' : delta.direction === good ? 'good' : 'bad';
  return (
    <>
      <b data-tone={tone}>{delta.text}</b> <span className={classes.against}>vs {against}</span>
    </>
  );
}

const QUANTILES = [
  ['p50', 'p50Ms'],
  ['p95', 'p95Ms'],
  ['p99', 'p99Ms'],
] as const;

function LatencyFigure(props: {
  view: TotalsView | undefined;
  active: boolean;
  against: string;
  onPick: () => void;
}) {
  const now = props.view?.totals;
  const was = props.view?.previous;
  const p95 =
    now?.latency.p95Ms != null && was?.latency.p95Ms != null
      ? relativeDelta(now.latency.p95Ms, was.latency.p95Ms)
      : null;
  return (
    <button type="button" className={classes.figure} aria-pressed={props.active} onClick={props.onPick}>
      <span className={classes.label}>Latency</span>
      <span className={classes.quantiles}>
        <span className={classes.head} />
        {QUANTILES.map(([name]) => (
          <span key={name} className={classes.head}>
            {name}
          </span>
        ))}
        <span className={classes.rowName}>Total</span>
        {QUANTILES.map(([name, field]) => (
          <span key={name} className={classes.cell}>
            {now ? <Duration ms={now.latency[field]} /> : <Skeleton width={44} />}
          </span>
        ))}
        <span className={classes.rowName}>First token</span>
        {QUANTILES.map(([name, field]) => (
          <span key={name} className={classes.cell}>
            {now ? <Duration ms={now.ttft[field]} /> : <Skeleton width={44} />}
          </span>
        ))}
      </span>
      {p95 && (
        <span className={classes.note}>
          p95 <DeltaText delta={p95} good="down" against={props.against} />
        </span>
      )}
    </button>
  );
}
