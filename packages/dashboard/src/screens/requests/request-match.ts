import type { RequestView } from '@tallygate/contract/api/usage';
import type { Filters } from '../../app/url/filters.ts';

/** Whether a row from the stream belongs to the filtered list: the same rule as the API's filters. */
export function matchesFilters(row: RequestView, filters: Filters): boolean {
  const passes = (wanted: string[] | undefined, ...values: (string | null | undefined)[]): boolean =>
    wanted === undefined || values.some((value) => typeof value === 'string' && wanted.includes(value));
  return (
    passes(filters.project, row.project.id, row.project.slug) &&
    passes(filters.key, row.key?.id) &&
    passes(filters.model, row.modelServed) &&
    passes(filters.provider, row.provider) &&
    passes(filters.account, row.account?.id) &&
    passes(filters.status, row.status)
  );
}

/** Rows in front of rows; one that is in both (the stream and a page overlap) is kept once, in its newest state. */
export function mergeRows(fresh: RequestView[], loaded: RequestView[]): RequestView[] {
  if (fresh.length === 0) return loaded;
  const ids = new Set(fresh.map((row) => row.id));
  return [...fresh, ...loaded.filter((row) => !ids.has(row.id))];
}

/** Adds arrivals to what the stream brought so far: newest first, no id twice, at most `limit` rows. */
export function addArrivals(fresh: RequestView[], arrivals: RequestView[], limit: number): RequestView[] {
  const byId = new Map<string, RequestView>();
  for (const row of [...arrivals].reverse()) if (!byId.has(row.id)) byId.set(row.id, row);
  for (const row of fresh) if (!byId.has(row.id)) byId.set(row.id, row);
  return [...byId.values()].slice(0, limit);
}

/** Input tokens of a row: everything sent that was not read from a cache. Null when nothing is known. */
export function inputTokens(row: RequestView): number | null {
  const { tokens } = row;
  return sumKnown([
    tokens.inputUncached,
    tokens.cacheWrite5m,
    tokens.cacheWrite1h,
    tokens.cacheWriteOther,
    tokens.inputAudio,
    tokens.inputImage,
    tokens.inputTool,
  ]);
}

export function cachedTokens(row: RequestView): number | null {
  return sumKnown([row.tokens.cacheRead, row.tokens.cacheReadAudio]);
}

export function outputTokens(row: RequestView): number | null {
  const { tokens } = row;
  return sumKnown([tokens.outputVisible, tokens.outputReasoning, tokens.outputAudio, tokens.outputImage]);
}

/** The sum of what is known; null when nothing is: unknown is not zero. */
export function sumKnown(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
