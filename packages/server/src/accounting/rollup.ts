import { type RequestStatus, TOKEN_BUCKETS, type TokenBucket } from '@tallygate/contract/usage';
import { addToBin, binOf, type LatencyBins } from './latency-histogram.ts';
import type { UsageEvent } from './usage-event.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export const ROLLUP_STEPS = ['hour', 'day'] as const;
export type RollupStep = (typeof ROLLUP_STEPS)[number];
export const STEP_MS: Record<RollupStep, number> = { hour: HOUR_MS, day: DAY_MS };

/** What a sum can be filtered and grouped by. */
export interface SeriesDimensions {
  workspaceId: string;
  projectId: string | null;
  apiKeyId: string | null;
  userId: string | null;
  source: string | null;
  provider: string | null;
  accountId: string | null;
  modelServed: string | null;
  status: RequestStatus | null;
}
export type SeriesDimension = Exclude<keyof SeriesDimensions, 'workspaceId'>;

/**
 * Four grains hold the same sums at different detail, so that an overview reads few rows: `all` knows nothing but
 * the workspace, `served` what answered, `caller` who asked, `detail` both. A dimension that a grain does not
 * know is null in it.
 */
export const GRAINS = ['detail', 'served', 'caller', 'all'] as const;
export type Grain = (typeof GRAINS)[number];
const SERVED: readonly SeriesDimension[] = ['source', 'provider', 'accountId', 'modelServed', 'status'];
const CALLER: readonly SeriesDimension[] = ['projectId', 'apiKeyId', 'userId'];

/** The coarsest grain that knows all the given dimensions. */
export function grainFor(dimensions: Iterable<SeriesDimension>): Grain {
  const wanted = [...dimensions];
  if (wanted.length === 0) return 'all';
  if (wanted.every((dimension) => SERVED.includes(dimension))) return 'served';
  return wanted.every((dimension) => CALLER.includes(dimension)) ? 'caller' : 'detail';
}

/** Additive whole-number measures, in storage order. `events` counts rows; `requests` leaves out sub-calls. */
export const MEASURES = [
  'events',
  'requests',
  'errors',
  'unpricedRequests',
  'unpricedTokens',
  'estimatedRequests',
  'interruptedRequests',
  'weightedTokens',
  ...TOKEN_BUCKETS,
] as const;
export type Measure = (typeof MEASURES)[number];
export const MEASURE_COUNT = MEASURES.length;
const FIRST_BUCKET = MEASURE_COUNT - TOKEN_BUCKETS.length;

/** Outcomes that count as errors: not a client that left, and not a death of the gate (counted on its own). */
export const ERROR_STATUSES: readonly RequestStatus[] = [
  'client_error',
  'upstream_error',
  'timeout',
  'rejected',
];

/** What rollups need to know of a row. */
export type RolledUpEvent = SeriesDimensions &
  Pick<
    UsageEvent,
    | 'projectId'
    | 'source'
    | 'provider'
    | 'status'
    | 'parentId'
    | 'startedAtMs'
    | 'latencyMs'
    | 'ttftMs'
    | 'weightedTokens'
    | 'costNanoUsd'
    | 'priceStatus'
    | 'settleStatus'
    | 'tokens'
  >;

export interface Sums {
  /** By position in `MEASURES`. */
  measures: number[];
  costNanoUsd: bigint;
  latencyBins: LatencyBins;
  ttftBins: LatencyBins;
}

export interface Series {
  grain: Grain;
  dimensions: SeriesDimensions;
}

/** Sums of one series over one UTC hour or day. */
export interface RollupCell extends Sums {
  series: Series;
  /** `seriesKeyOf(series)`, made once. */
  seriesKey: string;
  step: RollupStep;
  bucketMs: number;
}

/** Sums of nothing. */
export function emptySums(): Sums {
  return {
    measures: new Array<number>(MEASURE_COUNT).fill(0),
    costNanoUsd: 0n,
    latencyBins: new Map(),
    ttftBins: new Map(),
  };
}

/** Start of the UTC hour or day (or any step that divides a day) an instant falls into. */
export function bucketStart(instantMs: number, stepMs: number): number {
  return Math.floor(instantMs / stepMs) * stepMs;
}

/** The measures of one row. A sub-call adds tokens and cost but is no request of its own, and has no latency. */
export function measuresOf(event: RolledUpEvent): number[] {
  const whole = event.parentId === null ? 1 : 0;
  const unpriced = event.priceStatus === 'unpriced' ? 1 : 0;
  let tokens = 0;
  const measures = [
    1,
    whole,
    ERROR_STATUSES.includes(event.status) ? whole : 0,
    unpriced,
    0,
    event.settleStatus === 'estimated' ? 1 : 0,
    event.settleStatus === 'interrupted' ? 1 : 0,
    event.weightedTokens ?? 0,
  ];
  for (const bucket of TOKEN_BUCKETS) {
    const count = event.tokens[bucket] ?? 0;
    tokens += count;
    measures.push(count);
  }
  if (unpriced === 1) measures[4] = tokens;
  return measures;
}

/** Position of a token bucket in `MEASURES`. */
export function measureIndexOf(bucket: TokenBucket): number {
  return FIRST_BUCKET + TOKEN_BUCKETS.indexOf(bucket);
}

/** Takes one sum out of another that holds it, in place. */
export function subtractSums(from: Sums, part: Sums): void {
  for (let i = 0; i < MEASURE_COUNT; i++)
    from.measures[i] = (from.measures[i] ?? 0) - (part.measures[i] ?? 0);
  from.costNanoUsd -= part.costNanoUsd;
  subtractBins(from.latencyBins, part.latencyBins);
  subtractBins(from.ttftBins, part.ttftBins);
}

function subtractBins(from: LatencyBins, part: LatencyBins): void {
  for (const [bin, count] of part) {
    const left = (from.get(bin) ?? 0) - count;
    if (left === 0) from.delete(bin);
    else from.set(bin, left);
  }
}

/** Adds one sum to another, in place. */
export function addSums(into: Sums, from: Sums): void {
  addMeasures(into.measures, from.measures);
  into.costNanoUsd += from.costNanoUsd;
  for (const [bin, count] of from.latencyBins) addToBin(into.latencyBins, bin, count);
  for (const [bin, count] of from.ttftBins) addToBin(into.ttftBins, bin, count);
}

function addMeasures(into: number[], from: readonly number[]): void {
  for (let i = 0; i < MEASURE_COUNT; i++) into[i] = (into[i] ?? 0) + (from[i] ?? 0);
}

/** The dimensions of a row at a grain. */
export function seriesOf(event: SeriesDimensions, grain: Grain): Series {
  const caller = grain === 'detail' || grain === 'caller';
  const served = grain === 'detail' || grain === 'served';
  return {
    grain,
    dimensions: {
      workspaceId: event.workspaceId,
      projectId: caller ? event.projectId : null,
      apiKeyId: caller ? event.apiKeyId : null,
      userId: caller ? event.userId : null,
      source: served ? event.source : null,
      provider: served ? event.provider : null,
      accountId: served ? event.accountId : null,
      modelServed: served ? event.modelServed : null,
      status: served ? event.status : null,
    },
  };
}

function grainsOf(detail: Series): [Series, string][] {
  return GRAINS.map((grain) => {
    const series = seriesOf(detail.dimensions, grain);
    return [series, seriesKeyOf(series)];
  });
}

const SEPARATOR = '\u001f';
const NOTHING = '\u0000';

/** One text for one series: equal exactly when grain and all dimensions are (null differs from empty). */
export function seriesKeyOf(series: Series): string {
  const d = series.dimensions;
  return [
    series.grain,
    d.workspaceId,
    d.projectId ?? NOTHING,
    d.apiKeyId ?? NOTHING,
    d.userId ?? NOTHING,
    d.source ?? NOTHING,
    d.provider ?? NOTHING,
    d.accountId ?? NOTHING,
    d.modelServed ?? NOTHING,
    d.status ?? NOTHING,
  ].join(SEPARATOR);
}

/** Key of the `detail` series of a row. */
export function detailKeyOf(event: RolledUpEvent): string {
  const caller = `${event.workspaceId}${SEPARATOR}${event.projectId}${SEPARATOR}${event.apiKeyId ?? NOTHING}`;
  const served = `${event.source}${SEPARATOR}${event.provider}${SEPARATOR}${event.accountId ?? NOTHING}`;
  const outcome = `${event.modelServed ?? NOTHING}${SEPARATOR}${event.status}`;
  return `detail${SEPARATOR}${caller}${SEPARATOR}${event.userId ?? NOTHING}${SEPARATOR}${served}${SEPARATOR}${outcome}`;
}

class Accumulator {
  readonly cells = new Map<string, RollupCell>();

  cell(series: Series, seriesKey: string, step: RollupStep, bucketMs: number): RollupCell {
    const key = `${step}${bucketMs}${SEPARATOR}${seriesKey}`;
    let cell = this.cells.get(key);
    if (cell === undefined) {
      cell = { series, seriesKey, step, bucketMs, ...emptySums() };
      this.cells.set(key, cell);
    }
    return cell;
  }
}

function addEvent(cell: Sums, event: RolledUpEvent): void {
  addMeasures(cell.measures, measuresOf(event));
  if (event.costNanoUsd !== null) cell.costNanoUsd += event.costNanoUsd;
  if (event.parentId !== null) return;
  if (event.latencyMs !== null) addToBin(cell.latencyBins, binOf(event.latencyMs), 1);
  if (event.ttftMs !== null) addToBin(cell.ttftBins, binOf(event.ttftMs), 1);
}

/**
 * Collects rows and gives their sums for every grain, by UTC hour and day. Rows are summed once, at hour and
 * detail; the other cells are sums of those, so a batch costs little more than its distinct cells.
 */
export class RollupBuilder {
  readonly #hours = new Accumulator();
  readonly #series = new Map<string, Series>();

  add(event: RolledUpEvent): void {
    const key = detailKeyOf(event);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = seriesOf(event, 'detail');
      this.#series.set(key, series);
    }
    addEvent(this.#hours.cell(series, key, 'hour', bucketStart(event.startedAtMs, HOUR_MS)), event);
  }

  cells(): RollupCell[] {
    const coarse = new Map<Series, [Series, string][]>();
    for (const series of this.#series.values()) coarse.set(series, grainsOf(series));
    const all = new Accumulator();
    for (const hour of this.#hours.cells.values()) {
      for (const [series, key] of coarse.get(hour.series) ?? []) {
        for (const step of ROLLUP_STEPS) {
          addSums(all.cell(series, key, step, bucketStart(hour.bucketMs, STEP_MS[step])), hour);
        }
      }
    }
    return [...all.cells.values()];
  }
}

/** The sums of the given rows; see `RollupBuilder`. */
export function rollUp(events: Iterable<RolledUpEvent>): RollupCell[] {
  const builder = new RollupBuilder();
  for (const event of events) builder.add(event);
  return builder.cells();
}
