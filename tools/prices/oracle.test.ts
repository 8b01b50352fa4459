import { findProvider, type Provider } from '@pydantic/genai-prices';
import {
  TOKEN_BUCKETS,
  type TokenBucket,
  type TokenCounts,
  unknownTokens,
  unknownUnits,
} from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../packages/server/src/accounting/price-book.ts';
import { loadSnapshot } from '../../packages/server/src/accounting/price-snapshot.ts';
import { priceUsage } from '../../packages/server/src/accounting/price-usage.ts';

/**
 * A second opinion on every cost: slow, written apart from the price book, straight from the source's data, in
 * fractions of decimal strings. It shares no code with what it checks, nor the compiled snapshot.
 */
type Fraction = { top: bigint; bottom: bigint };
type Listed = Provider['models'][number]['prices'];
type Dated = Extract<Listed, unknown[]>[number];
type Rates = Dated['prices'];

const ZERO: Fraction = { top: 0n, bottom: 1n };
const sum = (a: Fraction, b: Fraction): Fraction => ({
  top: a.top * b.bottom + b.top * a.bottom,
  bottom: a.bottom * b.bottom,
});
const product = (a: Fraction, b: Fraction): Fraction => ({ top: a.top * b.top, bottom: a.bottom * b.bottom });

function fractionOf(price: number): Fraction {
  // toFixed(20) would print the binary value; the shortest decimal is the one in the price list.
  const [mantissa = '0', exponent = '0'] = String(price).split('e');
  const [whole = '0', decimals = ''] = mantissa.split('.');
  const power = BigInt(decimals.length - Number(exponent));
  const digits = BigInt(whole + decimals);
  return power >= 0n ? { top: digits, bottom: 10n ** power } : { top: digits * 10n ** -power, bottom: 1n };
}

/** Dollars → nano-dollars, half to even, by comparing twice the remainder. */
function toNano({ top, bottom }: Fraction): bigint {
  const scaled = top * 1_000_000_000n;
  const floor = scaled / bottom;
  const twice = (scaled - floor * bottom) * 2n;
  if (twice === bottom) return floor % 2n === 0n ? floor : floor + 1n;
  return twice > bottom ? floor + 1n : floor;
}

const KEYS: Record<TokenBucket, string[]> = {
  inputUncached: ['input_mtok'],
  cacheRead: ['cache_read_mtok'],
  cacheWrite5m: ['cache_write_mtok'],
  cacheWrite1h: ['cache_write_1h_mtok'],
  cacheWriteOther: ['cache_write_mtok'],
  inputAudio: ['input_audio_mtok'],
  cacheReadAudio: ['cache_audio_read_mtok'],
  inputImage: ['input_image_mtok'],
  inputTool: ['input_mtok'],
  outputVisible: ['output_mtok'],
  outputReasoning: ['output_reasoning_mtok', 'output_mtok'],
  outputAudio: ['output_audio_mtok'],
  outputImage: ['output_image_mtok'],
};

/** The documented exceptions: who bills images or audio as text. */
function keysFor(provider: string, bucket: TokenBucket): string[] {
  const keys = [...KEYS[bucket]];
  if (bucket === 'inputImage' && ['google', 'openai', 'azure', 'x-ai'].includes(provider))
    keys.push('input_mtok');
  if (provider === 'google' && bucket === 'inputAudio') keys.push('input_mtok');
  if (provider === 'google' && bucket === 'cacheReadAudio') keys.push('cache_read_mtok');
  return keys;
}

const clock = (iso: string) => iso.slice(11, 19);

/** The entry that holds at an instant; hours listed after a date hold from that date on. */
function ratesAt(prices: Listed, iso: string): Rates {
  if (!Array.isArray(prices)) return prices;
  let chosen: Rates = prices[0]!.prices;
  let dateReached = true;
  for (const { constraint, prices: rates } of prices) {
    if (constraint === undefined) chosen = rates;
    else if (constraint.type === 'start_date') {
      dateReached = iso >= constraint.start_date;
      if (dateReached) chosen = rates;
    } else {
      const [from, to] = [constraint.start_time.slice(0, 8), constraint.end_time.slice(0, 8)];
      const now = clock(iso);
      const inside = from <= to ? now >= from && now < to : now >= from || now < to;
      if (dateReached && inside) chosen = rates;
    }
  }
  return chosen;
}

function rateAt(listed: Rates[string], totalInput: number): Fraction | null {
  if (listed === undefined) return null;
  if (typeof listed === 'number') return fractionOf(listed);
  let price = listed.base;
  for (const { start, price: raised } of listed.tiers) {
    if (totalInput > (start === 271_999 ? 272_000 : start)) price = raised;
  }
  return fractionOf(price);
}

function slowCost(provider: string, rates: Rates, tokens: TokenCounts, factor: Fraction): bigint | null {
  const totalInput = TOKEN_BUCKETS.filter((bucket) => !bucket.startsWith('output')).reduce(
    (total, bucket) => total + (tokens[bucket] ?? 0),
    0,
  );
  let total = ZERO;
  for (const bucket of TOKEN_BUCKETS) {
    const count = tokens[bucket] ?? 0;
    if (count === 0) continue;
    const key = keysFor(provider, bucket).find((name) => rates[name] !== undefined);
    const rate = key === undefined ? null : rateAt(rates[key], totalInput);
    if (rate === null) return null;
    total = sum(total, product(product(rate, factor), { top: BigInt(count), bottom: 1_000_000n }));
  }
  if (typeof rates.requests_kcount === 'number') {
    total = sum(total, product(fractionOf(rates.requests_kcount), { top: 1n, bottom: 1000n }));
  }
  return toNano(total);
}

const snapshot = loadSnapshot();
const book = compilePriceBook(snapshot, []);
/** Corrected by hand in our own layer, or too fine for pico-dollars: they have tests of their own. */
const APART = new Set([
  'deepseek/deepseek-chat',
  'deepseek/deepseek-reasoner',
  'openai/gpt-4o-search-preview',
]);
for (const rounded of snapshot.rounded) APART.add(rounded.slice(0, rounded.lastIndexOf(' ')));

const models = Object.entries(snapshot.providers).flatMap(([id, list]) => {
  const provider = findProvider({ providerId: id })!;
  return list.flatMap(({ id: modelId, also }) => {
    const source = provider.models.find((model) => [modelId, ...also].includes(model.id.toLowerCase()));
    const isPriced = source && !APART.has(`${id}/${source.id}`) && Object.keys(source.prices).length > 0;
    return isPriced ? [{ provider: id, model: modelId, prices: source.prices }] : [];
  });
});

const count = fc.oneof(
  fc.constant(null),
  fc.nat(5000),
  fc.constantFrom(127_999, 128_000, 128_001, 199_999, 200_000, 200_001, 271_999, 272_000, 272_001),
  fc.nat(2_000_000),
);
const textTokens = fc.record(
  {
    inputUncached: count,
    cacheRead: count,
    cacheWrite5m: count,
    outputVisible: count,
    outputReasoning: count,
  },
  { requiredKeys: [] },
);
const allTokens = fc.record(
  Object.fromEntries(
    TOKEN_BUCKETS.map((bucket) => [bucket, fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, count)]),
  ),
);
const tokensArbitrary = fc
  .oneof(textTokens, allTokens)
  .map((counts): TokenCounts => ({ ...unknownTokens(), ...counts }));
const instant = fc.oneof(
  fc.date({ min: new Date('2025-01-01'), max: new Date('2027-12-31'), noInvalidDate: true }),
  fc
    .tuple(
      fc.constantFrom('2026-03-12', '2026-03-13', '2026-08-16', '2026-08-17', '2026-09-01'),
      fc.nat(86_399),
    )
    .map(([day, second]) => new Date(Date.parse(day) + second * 1000)),
);

describe('an independent, slow implementation agrees to the nano-dollar', () => {
  it('covers the book', () => {
    expect(models.length).toBeGreaterThan(1400);
  });

  const ask = (
    { provider, model }: { provider: string; model: string },
    tokens: TokenCounts,
    at: Date,
    terms = {},
  ) =>
    priceUsage(book, {
      provider,
      usage: {
        model,
        tokens,
        units: unknownUnits(),
        serviceTier: null,
        speed: null,
        geo: null,
        batch: false,
        ...terms,
      },
      fallbackModel: null,
      atMs: at.getTime(),
    });

  it('on any usage of any model at any time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        tokensArbitrary,
        instant,
        ({ provider, model, prices }, tokens, at) => {
          const priced = ask({ provider, model }, tokens, at);
          if (TOKEN_BUCKETS.every((bucket) => tokens[bucket] === null)) {
            expect(priced.priceStatus).toBe('no_usage');
            return;
          }
          if (priced.priceStatus === 'free') return;
          expect(priced.costNanoUsd).toBe(
            slowCost(provider, ratesAt(prices, at.toISOString()), tokens, { top: 1n, bottom: 1n }),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('on every model with dates, hours or tiers', () => {
    const special = models.filter(({ prices }) => JSON.stringify(prices).match(/constraint|tiers/));
    expect(special.length).toBeGreaterThan(40);
    fc.assert(
      fc.property(
        fc.constantFrom(...special),
        textTokens,
        instant,
        ({ provider, model, prices }, counts, at) => {
          const tokens = { ...unknownTokens(), ...counts, inputUncached: counts.inputUncached ?? 1 };
          expect(ask({ provider, model }, tokens, at).costNanoUsd).toBe(
            slowCost(provider, ratesAt(prices, at.toISOString()), tokens, { top: 1n, bottom: 1n }),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('under the factors of a tier, a speed and a region', () => {
    const cases = [
      ['anthropic', 'claude-opus-5', { batch: true }, 1n, 2n],
      ['anthropic', 'claude-opus-5', { speed: 'fast' }, 2n, 1n],
      ['anthropic', 'claude-opus-4-6', { speed: 'fast', geo: 'us' }, 66n, 10n],
      ['anthropic', 'claude-fable-5-1', { batch: true, geo: 'us' }, 11n, 20n],
      ['openai', 'gpt-5.6-luna', { serviceTier: 'flex' }, 1n, 2n],
      ['openai', 'gpt-5-mini', { serviceTier: 'priority' }, 9n, 5n],
      ['openai', 'gpt-4o-mini', { serviceTier: 'priority' }, 5n, 3n],
      ['openai', 'o4-mini', { serviceTier: 'priority' }, 20n, 11n],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        textTokens,
        instant,
        ([provider, id, terms, top, bottom], counts, at) => {
          const { prices } = models.find((one) => one.provider === provider && one.model === id)!;
          const tokens = { ...unknownTokens(), ...counts, inputUncached: counts.inputUncached ?? 1 };
          expect(ask({ provider, model: id }, tokens, at, terms).costNanoUsd).toBe(
            slowCost(provider, ratesAt(prices, at.toISOString()), tokens, { top, bottom }),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('matches the names of the source and nothing that merely begins like them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.stringMatching(/^[a-z0-9.-]{1,8}$/),
        ({ provider, model }, more) => {
          const longer = `${model}${more}`;
          const { card } = book.resolve(provider, longer);
          const own = book.resolve(provider, model).card;
          const isDated = /[-@]20\d{6}$|-20\d\d-\d\d-\d\d$/.test(more);
          const isListed = models.some((one) => one.provider === provider && one.model === longer);
          if (card === own && !isDated && !isListed) {
            // The same card may be listed under a longer name too, such as `gpt-5-chat` beside `gpt-5`.
            const names = snapshot.providers[provider]!.find((one) => one.id === model)!.also;
            expect(names).toContain(longer);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
