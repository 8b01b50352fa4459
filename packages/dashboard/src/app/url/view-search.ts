import { type Filters, parseFilters } from './filters.ts';
import { parseProjectSearch } from './project.ts';
import { parseRangeSearch, type RangeSearch } from './time-range.ts';

/** What Overview and Requests share, so that moving between them keeps the question. */
export type ViewSearch = RangeSearch & Filters;

/** What goes along to another place: the whole question where it can be asked there, elsewhere the project. */
export function keptSearch(to: string, raw: Record<string, unknown>): ViewSearch {
  return to === '/' || to === '/requests' ? parseViewSearch(raw) : parseProjectSearch(raw);
}

export const METRICS = ['spend', 'tokens', 'requests', 'errors', 'latency', 'cache'] as const;
export type Metric = (typeof METRICS)[number];
export const SPLITS = ['model', 'project', 'key', 'account'] as const;
export type Split = (typeof SPLITS)[number];

export interface OverviewSearch extends ViewSearch {
  metric?: Metric;
  by?: Split;
  view?: 'table';
}

/** Shared part: range and filters. */
export function parseViewSearch(raw: Record<string, unknown>): ViewSearch {
  return { ...parseRangeSearch(raw), ...parseFilters(raw) };
}

/** The Overview's search; defaults (`spend` by `model`, as a chart) are left out of the URL. */
export function parseOverviewSearch(raw: Record<string, unknown>): OverviewSearch {
  const metric = METRICS.find((item) => item === raw.metric);
  const by = SPLITS.find((item) => item === raw.by);
  return {
    ...parseViewSearch(raw),
    ...(metric && metric !== 'spend' ? { metric } : {}),
    ...(by && by !== 'model' ? { by } : {}),
    ...(raw.view === 'table' ? { view: 'table' as const } : {}),
  };
}
