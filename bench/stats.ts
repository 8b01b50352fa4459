/** Nearest-rank percentile of an ascending list; null when it is empty. */
export function percentile(sorted: readonly number[], percent: number): number | null {
  if (sorted.length === 0) return null;
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? null;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Median and range of the known values of several rounds; null when none is known. */
export function spread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value): value is number => value !== null).sort((a, b) => a - b);
  const min = known[0];
  const max = known.at(-1);
  if (min === undefined || max === undefined) return null;
  const middle = Math.floor(known.length / 2);
  const upper = known[middle] ?? min;
  const median = known.length % 2 === 1 ? upper : (upper + (known[middle - 1] ?? upper)) / 2;
  return { median, min, max };
}
