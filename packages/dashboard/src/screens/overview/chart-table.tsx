import type { Step } from '../../app/url/time-range.ts';
import type { Metric } from '../../app/url/view-search.ts';
import type { ChartModel } from '../../ui/chart/chart-model.ts';
import { formatBucket } from '../../ui/format/time.ts';
import table from '../../ui/table.module.css';
import classes from './chart-table.module.css';
import { formatMetric } from './metric-text.ts';

/** The chart's figures as a table, newest bucket first. */
export function ChartTable({ model, metric, step }: { model: ChartModel; metric: Metric; step: Step }) {
  const order = model.times.map((_, i) => i).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label="Figures of the chart">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Bucket</th>
            {model.series.map((series) => (
              <th key={series.key} scope="col" className={table.number}>
                {series.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.map((i) => (
            <tr key={model.times[i]}>
              <th scope="row">
                {formatBucket(model.times[i] ?? 0, step)}
                {model.partial[i] && <span className={classes.partial}> partial</span>}
              </th>
              {model.series.map((series) => (
                <td key={series.key} className={table.number}>
                  {series.values[i] == null ? '–' : formatMetric(metric, series.values[i])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
