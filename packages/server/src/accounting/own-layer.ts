import type { PriceUnit, SnapshotModel, SnapshotPeriod, UnitRates } from './price-snapshot.ts';

/**
 * What we know of cards and the snapshot does not, kept by hand; each entry names its source. Raise the revision
 * with every change here or in own-terms.ts: it is part of the price-book version that each row records.
 */
export const OWN_LAYER_REVISION = 2;

/**
 * OpenAI's long-context rates start above 272,000 input tokens. Some cards of the source start at 271,999 and
 * would charge a request of exactly 272,000 twice (developers.openai.com/api/docs/models: "more than 272K";
 * the cards of gpt-6-sol and gpt-6-luna agree).
 */
const TIER_STARTS: ReadonlyMap<number, number> = new Map([[271_999, 272_000]]);

/** Names whose bill has a part that no answer counts (a search in each answer): no price is better than a low one. */
const NOT_FULLY_COUNTED: Readonly<Record<string, readonly string[]>> = {
  openai: [
    'gpt-4o-search-preview',
    'gpt-4o-search-preview-2025-03-11',
    'gpt-4o-mini-search-preview',
    'gpt-4o-mini-search-preview-2025-03-11',
  ],
};

/** Rates of a provider that some of its cards leave out. Web search: $10 per 1,000 (platform.claude.com, pricing). */
const PROVIDER_RATES: Readonly<Record<string, UnitRates>> = {
  anthropic: { webSearch: 10_000_000_000 },
};

/**
 * DeepSeek ended its night discount at 2025-09-05T16:00Z and changed prices twice afterwards
 * (api-docs.deepseek.com/news: V3.1, V3.2-Exp); both names have pointed to V4 since 2026-04-24 and were
 * retired in July 2026, so from then on they have no price.
 */
const LEGACY_END = '2025-09-05T16:00:00Z';
const AFTER_LEGACY: readonly SnapshotPeriod[] = [
  {
    from: LEGACY_END,
    to: '2025-09-29T00:00:00Z',
    rates: { input: 560_000, cacheRead: 70_000, output: 1_680_000 },
  },
  {
    from: '2025-09-29T00:00:00Z',
    to: '2026-04-24T00:00:00Z',
    rates: { input: 280_000, cacheRead: 28_000, output: 420_000 },
  },
];
const ENDED: ReadonlyMap<string, { at: string; since: readonly SnapshotPeriod[] }> = new Map([
  ['deepseek/deepseek-chat', { at: LEGACY_END, since: AFTER_LEGACY }],
  ['deepseek/deepseek-reasoner', { at: LEGACY_END, since: AFTER_LEGACY }],
]);

const FREE: SnapshotPeriod = { rates: { input: 0, output: 0 } };

/** Models the provider gives away (ai.google.dev/gemini-api/docs/pricing: free of charge, no paid tier). */
export const OWN_MODELS: Readonly<Record<string, readonly SnapshotModel[]>> = {
  google: [
    { id: 'gemma-4-26b-a4b-it', also: [], periods: [FREE] },
    { id: 'gemma-4-31b-it', also: [], periods: [FREE] },
  ],
};

/** Provider-published factors that make a use free and that no card mentions (web fetch: tokens only). */
export const FREE_USES: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['webFetchRequests'],
};

/**
 * Units that are billed as another one when the card has no rate of their own, because the provider's price
 * list says so: Google and xAI list one input price for text and images (Google for audio too, unless it lists
 * audio apart), OpenAI meters images of chat models in text tokens.
 */
export const BILLED_AS: Readonly<Record<string, Partial<Record<PriceUnit, PriceUnit>>>> = {
  google: { inputImage: 'input', inputAudio: 'input', cacheReadAudio: 'cacheRead' },
  openai: { inputImage: 'input' },
  azure: { inputImage: 'input' },
  'x-ai': { inputImage: 'input' },
};

/** The snapshot's model with our corrections, or null when none of its names may be priced. */
export function correctedModel(provider: string, model: SnapshotModel): SnapshotModel | null {
  const excluded = Object.hasOwn(NOT_FULLY_COUNTED, provider) ? NOT_FULLY_COUNTED[provider] : undefined;
  const [id, ...also] = [model.id, ...model.also].filter((name) => !excluded?.includes(name));
  if (id === undefined) return null;
  const ended = ENDED.get(`${provider}/${model.id}`);
  const periods = ended
    ? [...model.periods.map((period) => ({ ...period, to: ended.at })), ...ended.since]
    : model.periods;
  return { id, also, periods: periods.map((period) => correctedPeriod(provider, period)) };
}

function correctedPeriod(provider: string, period: SnapshotPeriod): SnapshotPeriod {
  const common = Object.hasOwn(PROVIDER_RATES, provider) ? PROVIDER_RATES[provider] : undefined;
  const rates = common ? { ...common, ...period.rates } : period.rates;
  const tiers = period.tiers?.map((tier) => ({ ...tier, over: TIER_STARTS.get(tier.over) ?? tier.over }));
  return tiers ? { ...period, rates, tiers } : { ...period, rates };
}
