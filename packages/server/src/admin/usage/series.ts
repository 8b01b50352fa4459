import type { TimeseriesView, UsageGroup } from '@tallygate/contract/api/usage';
import type { TimeseriesPoint, UsageSumsRow } from '../../store/store.ts';
import { type Names, NO_GROUP_KEY } from '../names.ts';
import { addSums, byCostThenTokens, pointView } from './sums-view.ts';

type SeriesView = TimeseriesView['series'][number];

/** Key of the series that sums whatever is not among the top. */
export const OTHER_KEY = 'other';

interface Grouped {
  groupKey: string | null;
  total: UsageSumsRow;
  points: TimeseriesPoint[];
}

function groupPoints(points: readonly TimeseriesPoint[]): Grouped[] {
  const groups = new Map<string | null, Grouped>();
  for (const point of points) {
    const group = groups.get(point.groupKey);
    if (group) {
      group.total = addSums(group.total, point);
      group.points.push(point);
    } else {
      groups.set(point.groupKey, { groupKey: point.groupKey, total: point, points: [point] });
    }
  }
  return [...groups.values()].sort((a, b) => byCostThenTokens(a.total, b.total));
}

function pointViews(points: readonly TimeseriesPoint[]): SeriesView['points'] {
  const buckets = new Map<number, UsageSumsRow>();
  for (const point of points) {
    const known = buckets.get(point.bucketStartMs);
    buckets.set(point.bucketStartMs, known ? addSums(known, point) : point);
  }
  return [...buckets].sort(([a], [b]) => a - b).map(([startMs, sums]) => pointView(startMs, sums));
}

/** One series of everything, without a group. */
export function wholeSeries(points: readonly TimeseriesPoint[]): SeriesView[] {
  return [{ key: 'all', label: 'All', points: pointViews(points) }];
}

/** The `top` groups by cost, then tokens, each its own series; the rest is summed as `other`. */
export function topSeries(
  points: readonly TimeseriesPoint[],
  { group, top, names }: { group: UsageGroup; top: number; names: Names },
): SeriesView[] {
  const groups = groupPoints(points);
  const series = groups.slice(0, top).map((entry) => ({
    key: entry.groupKey ?? NO_GROUP_KEY,
    label: names.label(group, entry.groupKey),
    points: pointViews(entry.points),
  }));
  const rest = groups.slice(top);
  if (rest.length === 0) return series;
  const restPoints = rest.flatMap((entry) => entry.points);
  return [...series, { key: OTHER_KEY, label: `Other (${rest.length})`, points: pointViews(restPoints) }];
}
