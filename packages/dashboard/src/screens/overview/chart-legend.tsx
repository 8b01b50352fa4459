import type { Step } from '../../app/url/time-range.ts';
import type { Metric } from '../../app/url/view-search.ts';
import type { ChartModel } from '../../ui/chart/chart-model.ts';
import { OTHER_KEY } from '../../ui/chart/palette.ts';
import { formatBucket } from '../../ui/format/time.ts';
import { isStacked, seriesTotal } from './build-chart.ts';
import classes from './chart-legend.module.css';
import { formatMetric } from './metric-text.ts';

interface Props {
  model: ChartModel;
  metric: Metric;
  step: Step;
  /** The bucket under the pointer; without one the legend reads the whole range. */
  bucket: number | null;
  onPick: ((key: string) => void) | null;
}

/** The names beside the chart, each with its figure: of the range, or of the bucket under the pointer. */
export function ChartLegend({ model, metric, step, bucket, onPick }: Props) {
  const at = bucket === null ? undefined : model.times[bucket];
  const value = (i: number): number | null => {
    const series = model.series[i];
    if (!series) return null;
    if (bucket !== null) return series.values[bucket] ?? null;
    return isStacked(metric) ? seriesTotal(series) : (series.values.findLast((one) => one !== null) ?? null);
  };
  const values = model.series.map((_, i) => value(i));
  const sum = values.reduce<number>((total, one) => total + (one ?? 0), 0);
  const whole = isStacked(metric) ? 'Whole range' : 'Latest';
  return (
    <div className={classes.legend}>
      <p className={classes.head}>
        <span>{at === undefined ? whole : formatBucket(at, step)}</span>
        {bucket !== null && model.partial[bucket] && <span className={classes.partial}>partial</span>}
      </p>
      <ul>
        {model.series.map((series, i) => {
          if (isStacked(metric) && series.unknown === undefined && seriesTotal(series) === 0) return null;
          const figure = values[i] ?? null;
          const content = (
            <>
              <span className={classes.swatch} style={{ background: `var(${series.color})` }} aria-hidden />
              <span className={classes.label}>{series.label}</span>
              <span className={classes.value}>
                {figure === null
                  ? '–'
                  : figure === 0 && series.unknown
                    ? series.unknown
                    : formatMetric(metric, figure)}
              </span>
            </>
          );
          return (
            <li key={series.key}>
              {onPick === null || series.key === OTHER_KEY || series.key === '' ? (
                <span className={classes.item}>{content}</span>
              ) : (
                <button
                  type="button"
                  className={classes.item}
                  onClick={() => onPick(series.key)}
                  title={`Show only ${series.label}`}
                >
                  {content}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {model.series.length === 0 && <p className={classes.none}>No traffic in this range.</p>}
      {isStacked(metric) && model.series.length > 1 && (
        <p className={classes.sum}>
          <span className={classes.label}>Sum</span>
          <span className={classes.value}>{formatMetric(metric, sum)}</span>
        </p>
      )}
    </div>
  );
}
