import { TOKEN_BUCKETS, type TokenBucket, UNIT_COUNTS, type UnitCount } from '@tallygate/contract/usage';
import { BILLED_AS, FREE_USES } from './own-layer.ts';
import type { TermsFactor } from './own-terms.ts';
import type { PricedUnit } from './price-override.ts';
import type { PriceUnit, SnapshotPeriod, UnitRates } from './price-snapshot.ts';
import { scaleHalfEven } from './rounding.ts';

/** One thing that costs: what a line of a bill names, and its rate. */
export interface Rate {
  pico: number;
  picoBig: bigint;
}

/** Rates for one context tier under one factor; null: no known price. Indexed like TOKEN_BUCKETS and UNIT_COUNTS. */
export interface RateSet {
  buckets: readonly (Rate | null)[];
  uses: readonly (Rate | null)[];
  /** Charged once for each call; null when there is no such charge. */
  request: Rate | null;
}

interface ListRates {
  buckets: ReadonlyMap<TokenBucket, number>;
  uses: ReadonlyMap<UnitCount, number>;
  request: number | null;
}

/** Rates that hold for requests whose total input is above `overTokens`. */
export class PriceLevel {
  readonly overTokens: number;
  /** Spread over buckets only when a factor is first asked for: most cards of a book never are. */
  readonly #list: () => ListRates;
  /** One entry for each factor ever met: a handful. */
  readonly #byFactor = new Map<number, RateSet>();

  constructor(overTokens: number, list: () => ListRates) {
    this.overTokens = overTokens;
    this.#list = list;
  }

  /** The rates under a factor; token rates scale, charges per use do not. */
  rates({ num, den }: TermsFactor): RateSet {
    const key = num * 100_000 + den;
    const known = this.#byFactor.get(key);
    if (known) return known;
    const list = this.#list();
    const set: RateSet = {
      buckets: TOKEN_BUCKETS.map((bucket) => {
        const pico = list.buckets.get(bucket);
        return pico === undefined ? null : rate(scaleHalfEven(pico, num, den));
      }),
      uses: UNIT_COUNTS.map((unit) => {
        const pico = list.uses.get(unit);
        return pico === undefined ? null : rate(pico);
      }),
      request: list.request === null ? null : rate(list.request),
    };
    this.#byFactor.set(key, set);
    return set;
  }
}

function rate(pico: number): Rate {
  return { pico, picoBig: BigInt(pico) };
}

/** Prices between two instants, perhaps only for some hours of each day. */
export interface PricePeriod {
  fromMs: number;
  toMs: number;
  /** Milliseconds after UTC midnight, `[from, to)`; `to` may be below `from` (over midnight). */
  daily: { fromMs: number; toMs: number } | null;
  /** Ascending; the first has `overTokens` -1. */
  levels: readonly PriceLevel[];
}

export interface PriceCard {
  /** Id that factors are looked up by. */
  model: string;
  /** What rows record: card and version of the book. */
  label: string;
  /** Every rate is zero. */
  free: boolean;
  /** The last one that applies wins. */
  periods: readonly PricePeriod[];
}

const DAY_MS = 86_400_000;

/** The period that covers an instant, or null. */
export function periodAt(card: PriceCard, atMs: number): PricePeriod | null {
  for (let index = card.periods.length - 1; index >= 0; index -= 1) {
    const period = card.periods[index];
    if (period && atMs >= period.fromMs && atMs < period.toMs && isDaytime(period, atMs)) return period;
  }
  return null;
}

function isDaytime({ daily }: PricePeriod, atMs: number): boolean {
  if (daily === null) return true;
  const time = ((atMs % DAY_MS) + DAY_MS) % DAY_MS;
  if (daily.toMs < daily.fromMs) return time >= daily.fromMs || time < daily.toMs;
  return time >= daily.fromMs && time < daily.toMs;
}

/** The level for a request of that size: the whole request is billed at it. */
export function levelFor(period: PricePeriod, totalInputTokens: number): PriceLevel | null {
  for (let index = period.levels.length - 1; index >= 0; index -= 1) {
    const level = period.levels[index];
    if (level && totalInputTokens > level.overTokens) return level;
  }
  return null;
}

const BUCKET_UNITS: Record<TokenBucket, PriceUnit> = {
  inputUncached: 'input',
  cacheRead: 'cacheRead',
  cacheWrite5m: 'cacheWrite',
  cacheWrite1h: 'cacheWrite1h',
  cacheWriteOther: 'cacheWrite',
  inputAudio: 'inputAudio',
  cacheReadAudio: 'cacheReadAudio',
  inputImage: 'inputImage',
  inputTool: 'input',
  outputVisible: 'output',
  outputReasoning: 'outputReasoning',
  outputAudio: 'outputAudio',
  outputImage: 'outputImage',
};

/** Every provider bills thinking as output unless it lists a price of its own for it. */
const BILLED_AS_EVERYWHERE: Partial<Record<PriceUnit, PriceUnit>> = { outputReasoning: 'output' };

function spread(provider: string, rates: UnitRates): ListRates {
  const own = Object.hasOwn(BILLED_AS, provider) ? BILLED_AS[provider] : undefined;
  const billedAs = { ...BILLED_AS_EVERYWHERE, ...own };
  const buckets = new Map<TokenBucket, number>();
  for (const bucket of TOKEN_BUCKETS) {
    const unit = BUCKET_UNITS[bucket];
    const other = billedAs[unit];
    const pico = rates[unit] ?? (other === undefined ? undefined : rates[other]);
    if (pico !== undefined) buckets.set(bucket, pico);
  }
  const uses = new Map<UnitCount, number>();
  if (rates.webSearch !== undefined) uses.set('webSearchRequests', rates.webSearch);
  const freeUses = Object.hasOwn(FREE_USES, provider) ? FREE_USES[provider] : undefined;
  for (const unit of UNIT_COUNTS) if (freeUses?.includes(unit)) uses.set(unit, 0);
  return { buckets, uses, request: rates.request ?? null };
}

function levelsOf(provider: string, period: SnapshotPeriod): PriceLevel[] {
  let rates = period.rates;
  const levels = [new PriceLevel(-1, () => spread(provider, period.rates))];
  for (const tier of [...(period.tiers ?? [])].sort((a, b) => a.over - b.over)) {
    const raised = { ...rates, ...tier.rates };
    levels.push(new PriceLevel(tier.over, () => spread(provider, raised)));
    rates = raised;
  }
  return levels;
}

function timeOfDayMs(text: string): number {
  return Date.parse(`1970-01-01T${text}`);
}

/**
 * Compiles a period of the snapshot.
 * @throws RangeError when a date or an hour in it is not one.
 */
export function compilePeriod(provider: string, period: SnapshotPeriod): PricePeriod {
  const compiled: PricePeriod = {
    fromMs: period.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(period.from),
    toMs: period.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(period.to),
    daily: period.daily ? { fromMs: timeOfDayMs(period.daily[0]), toMs: timeOfDayMs(period.daily[1]) } : null,
    levels: levelsOf(provider, period),
  };
  const times = [compiled.fromMs, compiled.toMs, compiled.daily?.fromMs ?? 0, compiled.daily?.toMs ?? 0];
  if (times.some(Number.isNaN))
    throw new RangeError(`a price period has a date that is not one: ${JSON.stringify(period)}`);
  return compiled;
}

/** The single level of an operator's own price; thinking is billed as visible output unless it has a rate. */
export function overrideLevel(rates: ReadonlyMap<PricedUnit, number>): PriceLevel {
  const buckets = new Map<TokenBucket, number>();
  for (const bucket of TOKEN_BUCKETS) {
    const pico = rates.get(bucket) ?? fallbackRate(bucket, rates);
    if (pico !== undefined) buckets.set(bucket, pico);
  }
  const uses = new Map<UnitCount, number>();
  for (const unit of UNIT_COUNTS) {
    const pico = rates.get(unit);
    if (pico !== undefined) uses.set(unit, pico);
  }
  return new PriceLevel(-1, () => ({ buckets, uses, request: null }));
}

function fallbackRate(bucket: TokenBucket, rates: ReadonlyMap<PricedUnit, number>): number | undefined {
  if (bucket === 'outputReasoning') return rates.get('outputVisible');
  return bucket === 'inputTool' ? rates.get('inputUncached') : undefined;
}
