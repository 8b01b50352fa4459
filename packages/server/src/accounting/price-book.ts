import { withoutReleaseDate } from './model-id.ts';
import { correctedModel, OWN_LAYER_REVISION, OWN_MODELS } from './own-layer.ts';
import { compilePeriod, overrideLevel, type PriceCard, type PricePeriod } from './price-card.ts';
import { type PriceOverride, parseOverrideRates } from './price-override.ts';
import type { PriceSnapshot, SnapshotModel, SnapshotPeriod } from './price-snapshot.ts';

interface OverrideCard {
  card: PriceCard;
  createdAtMs: number;
}

/** What is known of one model id: cards to try in order. */
export interface Resolution {
  /** Operator's prices, newest first. */
  overrides: readonly PriceCard[];
  card: PriceCard | null;
}

interface ProviderPrices {
  cards: ReadonlyMap<string, PriceCard>;
  overrides: ReadonlyMap<string, readonly OverrideCard[]>;
  resolved: Map<string, Resolution>;
}

/** Model ids come from outside: the cache is emptied when it holds this many of a provider. */
const MAX_RESOLVED = 4096;
const MAX_MODEL_ID_LENGTH = 256;
const NOTHING: Resolution = { overrides: [], card: null };

/** Immutable prices, compiled once; a change of overrides means a new book. */
export class PriceBook {
  /** Names the data and our layer: the same version prices the same usage the same way, overrides aside. */
  readonly version: string;
  /** Number of price cards, overrides included. */
  readonly cards: number;
  readonly #providers: ReadonlyMap<string, ProviderPrices>;

  constructor(version: string, providers: ReadonlyMap<string, ProviderPrices>) {
    this.version = version;
    this.#providers = providers;
    let cards = 0;
    for (const prices of providers.values()) {
      cards += new Set(prices.cards.values()).size;
      for (const overrides of prices.overrides.values()) cards += overrides.length;
    }
    this.cards = cards;
  }

  /** Whether the book lists anything of that provider. */
  hasProvider(provider: string): boolean {
    return this.#providers.has(provider);
  }

  /** Ids of the models that the book lists of that provider. */
  modelsOf(provider: string): string[] {
    return [...(this.#providers.get(provider)?.cards.keys() ?? [])];
  }

  /**
   * Cards for a model id: the id itself, or the id less its release date (`claude-sonnet-4-5-20250929`). Never a
   * looser prefix: `claude-sonnet-5-5` is not `claude-sonnet-5`.
   */
  resolve(provider: string, modelId: string): Resolution {
    const prices = this.#providers.get(provider);
    if (!prices) return NOTHING;
    const known = prices.resolved.get(modelId);
    if (known) return known;
    if (modelId.length > MAX_MODEL_ID_LENGTH) return NOTHING;
    const resolution = resolveIn(prices, modelId.toLowerCase());
    if (prices.resolved.size >= MAX_RESOLVED) prices.resolved.clear();
    prices.resolved.set(modelId, resolution);
    return resolution;
  }
}

function resolveIn(prices: ProviderPrices, id: string): Resolution {
  const undated = withoutReleaseDate(id);
  const listed = prices.cards.get(id);
  const base = undated === null ? undefined : prices.cards.get(undated);
  const card = listed ?? base ?? null;
  const overrides = [...(prices.overrides.get(id) ?? [])];
  // A dated version that the book lists at a price of its own is another model than its family.
  const isOwnModel = listed !== undefined && listed !== base;
  if (undated !== null && (!isOwnModel || base === undefined)) {
    overrides.push(...(prices.overrides.get(undated) ?? []));
  }
  return { overrides: overrides.map((override) => override.card), card };
}

/** Card id under which factors are looked up when the operator's price names a version or an alias of it. */
function termsModel(cards: ReadonlyMap<string, PriceCard>, id: string): string {
  return (cards.get(id) ?? cards.get(withoutReleaseDate(id) ?? id))?.model ?? id;
}

/** Every rate is zero: an explicit statement that nothing is charged. */
function isFree(periods: readonly SnapshotPeriod[]): boolean {
  return periods.every(({ rates, tiers = [] }) =>
    [rates, ...tiers.map((tier) => tier.rates)].every((set) =>
      Object.values(set).every((pico) => pico === 0),
    ),
  );
}

function addModel(
  cards: Map<string, PriceCard>,
  provider: string,
  model: SnapshotModel,
  version: string,
): void {
  const corrected = correctedModel(provider, model);
  if (!corrected) return;
  const periods = corrected.periods.map((period) => compilePeriod(provider, period));
  const label = `${provider}/${corrected.id}@${version}`;
  const card: PriceCard = { model: corrected.id, label, free: isFree(model.periods), periods };
  for (const name of [corrected.id, ...corrected.also]) cards.set(name.toLowerCase(), card);
}

function overrideCard(override: PriceOverride, cards: ReadonlyMap<string, PriceCard>): OverrideCard {
  const rates = parseOverrideRates(override.ratesPicoUsd);
  const period: PricePeriod = {
    fromMs: override.validFromMs ?? Number.NEGATIVE_INFINITY,
    toMs: override.validToMs ?? Number.POSITIVE_INFINITY,
    daily: null,
    levels: [overrideLevel(rates)],
  };
  const model = override.model.toLowerCase();
  return {
    card: {
      model: termsModel(cards, model),
      label: `${override.provider}/${model}@override:${override.id}`,
      free: [...rates.values()].every((pico) => pico === 0),
      periods: [period],
    },
    createdAtMs: override.createdAtMs,
  };
}

/**
 * Compiles prices for use on the hot path. Overrides win over the snapshot while they are valid; of several valid
 * ones the newest wins.
 * @throws AppError `invalid_request` when an override has a bucket or a rate that is not one.
 */
export function compilePriceBook(snapshot: PriceSnapshot, overrides: readonly PriceOverride[]): PriceBook {
  const version = `genai-prices-${snapshot.source.version}+${OWN_LAYER_REVISION}`;
  const cards = new Map<string, Map<string, PriceCard>>();
  for (const source of [snapshot.providers, OWN_MODELS]) {
    for (const [provider, models] of Object.entries(source)) {
      const own = cards.get(provider) ?? new Map<string, PriceCard>();
      cards.set(provider, own);
      for (const model of models) addModel(own, provider, model, version);
    }
  }
  const overridesOf = new Map<string, Map<string, OverrideCard[]>>();
  for (const override of [...overrides].sort((a, b) => b.createdAtMs - a.createdAtMs)) {
    const own = overridesOf.get(override.provider) ?? new Map<string, OverrideCard[]>();
    overridesOf.set(override.provider, own);
    const model = override.model.toLowerCase();
    const list = own.get(model) ?? [];
    own.set(model, list);
    list.push(overrideCard(override, cards.get(override.provider) ?? new Map()));
  }
  const providers = new Map<string, ProviderPrices>();
  for (const provider of new Set([...cards.keys(), ...overridesOf.keys()])) {
    providers.set(provider, {
      cards: cards.get(provider) ?? new Map(),
      overrides: overridesOf.get(provider) ?? new Map(),
      resolved: new Map(),
    });
  }
  return new PriceBook(version, providers);
}
