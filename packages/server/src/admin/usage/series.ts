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

/** The groups that stand for themselves, highest cost first. */
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

/**
 * The points of the top groups, each its own series, and the points in which the store summed the others as `other`.
 * @param points as `timeseries` answers for `TopGroups`
 */
export function topSeries(
  points: readonly TimeseriesPoint[],
  { group, names }: { group: UsageGroup; names: Names },
): SeriesView[] {
  const apart = points.filter((point) => point.restGroups === undefined);
  const rest = points.filter((point) => point.restGroups !== undefined);
  const series = groupPoints(apart).map((entry) => ({
    key: entry.groupKey ?? NO_GROUP_KEY,
    label: names.label(group, entry.groupKey),
    points: pointViews(entry.points),
  }));
  if (rest.length === 0) return series;
  return [...series, { key: OTHER_KEY, label: `Other (${rest[0]?.restGroups})`, points: pointViews(rest) }];
}
