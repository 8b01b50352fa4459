import { SNAPSHOT_TEXT } from './generated/price-snapshot.ts';

/** What the source prices per token (or per use): its own units, before they are spread over token buckets. */
export const PRICE_UNITS = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'inputAudio',
  'cacheReadAudio',
  'inputImage',
  'output',
  'outputReasoning',
  'outputAudio',
  'outputImage',
  'webSearch',
  'request',
] as const;
export type PriceUnit = (typeof PRICE_UNITS)[number];
/** Pico-USD per token, per search or per request. A missing unit has no known price. */
export type UnitRates = Partial<Record<PriceUnit, number>>;

export interface SnapshotTier {
  /** The tier holds for the whole request when its total input is above this many tokens. */
  over: number;
  /** The rates that change. */
  rates: UnitRates;
}

export interface SnapshotPeriod {
  /** First UTC day or instant of validity, ISO 8601; absent: since ever. */
  from?: string;
  /** First instant that is no longer covered; absent: until further notice. */
  to?: string;
  /** Hours of each UTC day, `[from, to)`, as `HH:MM:SSZ`; the end may lie before the start. */
  daily?: readonly [from: string, to: string];
  rates: UnitRates;
  tiers?: readonly SnapshotTier[];
}

export interface SnapshotModel {
  id: string;
  /** Further names that the source spells out for the same price; all names are in lower case. */
  also: readonly string[];
  /** The last one that applies to an instant wins. */
  periods: readonly SnapshotPeriod[];
}

export interface PriceSnapshot {
  format: 1;
  source: { package: string; version: string; license: string; integrity: string; dataSha256: string };
  capturedOn: string;
  /** Rates whose source text is finer than a pico-dollar. */
  rounded: readonly string[];
  /** Models of the source that are not priced here, because no answer reports what they are billed by. */
  left: readonly string[];
  providers: Readonly<Record<string, readonly SnapshotModel[]>>;
}

/** The vendored price data, parsed anew; call it once, at boot. */
export function loadSnapshot(): PriceSnapshot {
  return JSON.parse(SNAPSHOT_TEXT) as PriceSnapshot;
}
