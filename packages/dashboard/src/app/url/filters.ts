import { isEnvironment } from './environment.ts';
import { isRequestStatus } from './request-status.ts';

/** The dimensions a view can be narrowed by. The names are the API's query parameters. */
export const FILTER_NAMES = [
  'environment',
  'project',
  'key',
  'model',
  'provider',
  'account',
  'status',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];
export type Filters = { [Name in FilterName]?: string[] };

const MAX_VALUES = 50;

/** Names with a fixed set of values take only those. */
function isValueOf(name: FilterName, value: string): boolean {
  if (name === 'status') return isRequestStatus(value);
  return name !== 'environment' || isEnvironment(value);
}

/** Reads filters out of untrusted search parameters: comma-separated, repeated values and empty lists dropped. */
export function parseFilters(raw: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const name of FILTER_NAMES) {
    const text = raw[name];
    if (typeof text !== 'string' && !Array.isArray(text)) continue;
    const values = (Array.isArray(text) ? text.map(String) : text.split(','))
      .map((value) => value.trim())
      .filter((value) => value !== '' && isValueOf(name, value));
    if (values.length > 0) filters[name] = [...new Set(values)].slice(0, MAX_VALUES);
  }
  return filters;
}

/** Adds a value to a filter, or takes it out when it is there. */
export function toggleFilter(filters: Filters, name: FilterName, value: string): Filters {
  const current = filters[name] ?? [];
  const next = current.includes(value) ? current.filter((item) => item !== value) : [...current, value];
  return withFilter(filters, name, next);
}

/** Replaces the values of one filter; an empty list removes it. */
export function withFilter(filters: Filters, name: FilterName, values: string[]): Filters {
  const { [name]: _dropped, ...rest } = filters;
  return values.length === 0 ? rest : { ...rest, [name]: values };
}

/** A search object without its filters. */
export function withoutFilters<Search extends Filters>(search: Search): Omit<Search, FilterName> {
  const names: readonly string[] = FILTER_NAMES;
  const kept = Object.entries(search).filter(([name]) => !names.includes(name));
  return Object.fromEntries(kept) as Omit<Search, FilterName>;
}

/** How many values narrow the view. */
export function countFilters(filters: Filters): number {
  return FILTER_NAMES.reduce((sum, name) => sum + (filters[name]?.length ?? 0), 0);
}

/** Only the filters of a search object that holds more. */
export function pickFilters(search: Filters): Filters {
  const filters: Filters = {};
  for (const name of FILTER_NAMES) if (search[name]) filters[name] = search[name];
  return filters;
}
