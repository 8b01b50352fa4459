/** What a chart draws: a complete grid of equal buckets, and for each series a value or a gap in each of them. */
export interface ChartModel {
  kind: 'stacked' | 'lines';
  /** Start of each bucket, epoch milliseconds, without holes. */
  times: number[];
  stepMs: number;
  /** Buckets that the range covers only in part: the first when it starts inside, the last when it is still running. */
  partial: boolean[];
  series: ChartSeries[];
}
export interface ChartSeries {
  key: string;
  label: string;
  /** Name of the CSS variable that holds the colour. */
  color: string;
  values: (number | null)[];
  /** Said in place of a zero: some of what the series counts has no known value. */
  unknown?: string;
}

/** Starts of all buckets that a range touches. Buckets are aligned to UTC, as the API's are. */
export function bucketGrid(fromMs: number, toMs: number, stepMs: number): number[] {
  const times: number[] = [];
  for (let at = Math.floor(fromMs / stepMs) * stepMs; at < toMs; at += stepMs) times.push(at);
  return times;
}

/** Which buckets are covered only in part, by the range or by time itself. */
export function partialBuckets(
  times: number[],
  stepMs: number,
  span: { fromMs: number; toMs: number },
): boolean[] {
  return times.map((at) => at < span.fromMs || at + stepMs > span.toMs);
}

/** The height of the stack in each bucket; null where no series has a value. */
export function stackTotals(series: ChartSeries[], length: number): (number | null)[] {
  return Array.from({ length }, (_, i) => {
    const values = series.map((one) => one.values[i] ?? null).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  });
}

/** The largest value that the vertical axis has to hold. */
export function chartMax(model: ChartModel): number {
  const all =
    model.kind === 'stacked'
      ? stackTotals(model.series, model.times.length)
      : model.series.flatMap((series) => series.values);
  return all.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
}
