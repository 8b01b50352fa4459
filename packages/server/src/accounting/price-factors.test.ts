import { TOKEN_BUCKETS, UNIT_COUNTS } from '@tallygate/contract/usage';
import { modelUsage, only, tokenCounts } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameModel, withoutReleaseDate } from './model-id.ts';
import { LIST_PRICE, OWN_TERMS, STANDARD_TIERS, type TermsFactor } from './own-terms.ts';
import { compilePriceBook } from './price-book.ts';
import { compilePeriod, levelFor, overrideLevel, PriceLevel, periodAt } from './price-card.ts';
import { loadSnapshot } from './price-snapshot.ts';
import { priceUsage } from './price-usage.ts';
import { scaleHalfEven } from './rounding.ts';
import { termsFactor } from './service-terms.ts';
import { totalInputTokens, totalTokens, weightedTokens } from './weighted-tokens.ts';

const NONE = { serviceTier: null, speed: null, geo: null, batch: false };

/** Every factor that is published, and every product of a tier, a speed and a region. */
function everyFactor(): TermsFactor[] {
  const factors: TermsFactor[] = [];
  for (const [provider, { tiers, speeds, geos }] of Object.entries(OWN_TERMS)) {
    for (const { id } of loadSnapshot().providers[provider] ?? []) {
      for (const serviceTier of [null, ...Object.keys(tiers)]) {
        for (const speed of [null, ...Object.keys(speeds)]) {
          for (const geo of [null, ...Object.keys(geos)]) {
            const factor = termsFactor(provider, id, { ...NONE, serviceTier, speed, geo });
            if (factor) factors.push(factor);
          }
        }
      }
    }
  }
  return factors;
}

describe('rates under factors', () => {
  it('are remembered apart for every factor there is', () => {
    const level = new PriceLevel(-1, () => ({
      buckets: new Map([['inputUncached', 3_960_000]]),
      uses: new Map([['webSearchRequests', 10_000_000_000]]),
      request: 5,
    }));
    const factors = everyFactor();
    expect(new Set(factors.map(({ num, den }) => `${num}/${den}`)).size).toBeGreaterThan(10);
    // Twice, so that what the first round remembered is what the second one reads.
    for (const { num, den, normalContextOnly } of [...factors, ...factors.toReversed()]) {
      const rates = level.rates({ num, den, normalContextOnly });
      expect([num, den, rates.buckets[0]?.pico]).toEqual([num, den, scaleHalfEven(3_960_000, num, den)]);
      expect(rates.buckets[0]?.picoBig).toBe(BigInt(rates.buckets[0]?.pico ?? -1));
      // What is charged for a use or a request is not a token's: it stays.
      expect([rates.uses[0]?.pico, rates.uses[1], rates.request?.pico]).toEqual([10_000_000_000, null, 5]);
      expect(rates.buckets.slice(1).every((rate) => rate === null)).toBe(true);
    }
  });

  it('are spread over buckets only once, when they are first asked for', () => {
    let spread = 0;
    const level = new PriceLevel(0, () => {
      spread++;
      return { buckets: new Map(), uses: new Map(), request: null };
    });
    expect(spread).toBe(0);
    const first = level.rates(LIST_PRICE);
    expect([level.rates(LIST_PRICE) === first, spread]).toEqual([true, 1]);
    expect(first.buckets).toHaveLength(TOKEN_BUCKETS.length);
    expect(first.uses).toHaveLength(UNIT_COUNTS.length);
  });

  it('scale a bill as a whole, to within the rounding of each rate', () => {
    const book = compilePriceBook(loadSnapshot(), []);
    const price = (terms: object) =>
      priceUsage(book, {
        provider: 'anthropic',
        usage: {
          ...modelUsage({ model: 'claude-opus-5', tokens: { inputUncached: 1000, cacheRead: 500 } }),
          ...terms,
        },
        fallbackModel: null,
        atMs: Date.UTC(2026, 10, 1),
      }).costNanoUsd;
    const list = price({}) ?? 0n;
    expect(price({ batch: true })).toBe(list / 2n);
    expect(price({ speed: 'fast' })).toBe(list * 2n);
    expect(price({ geo: 'us' })).toBe((list * 11n) / 10n);
    expect(price({ batch: true, speed: 'fast', geo: 'us' })).toBe((list * 11n) / 10n);
  });
});

describe('names of tiers', () => {
  it('are told apart from no tier by what providers call that, in any case', () => {
    expect([...STANDARD_TIERS].sort()).toEqual(['auto', 'default', 'on_demand', 'standard']);
    for (const tier of STANDARD_TIERS) {
      expect(termsFactor('openai', 'gpt-5', { ...NONE, serviceTier: tier.toUpperCase() })).toBe(LIST_PRICE);
    }
    expect(termsFactor('openai', 'gpt-5', { ...NONE, serviceTier: 'FLEX' })).toMatchObject({
      num: 1,
      den: 2,
    });
    expect(termsFactor('openai', 'gpt-5', { ...NONE, serviceTier: '' })).toBeNull();
    // A batch is one, whatever tier the answer names beside it.
    expect(termsFactor('openai', 'gpt-5', { ...NONE, batch: true, serviceTier: 'priority' })).toMatchObject({
      den: 2,
    });
    expect(termsFactor('nobody', 'x', { ...NONE, batch: true })).toBeNull();
  });
});

describe('periods and levels', () => {
  it('cover an instant by the last that does, and are found the same in any order of asking', () => {
    const day = 86_400_000;
    const bound = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined });
    const made = fc.record({ from: bound, to: bound, input: fc.integer({ min: 1, max: 99 }) });
    const iso = (days: number) => new Date(days * day).toISOString();
    fc.assert(
      fc.property(fc.array(made, { maxLength: 5 }), fc.integer({ min: -1, max: 7 * 24 }), (list, hour) => {
        const periods = list.map(({ from, to, input }) =>
          compilePeriod('p', {
            ...(from === undefined ? {} : { from: iso(from) }),
            ...(to === undefined ? {} : { to: iso(to) }),
            rates: { input },
          }),
        );
        const atMs = hour * 3_600_000;
        const found = periodAt({ model: 'm', label: 'l', free: false, periods }, atMs);
        const expected = list.findLast(
          ({ from, to }) =>
            (from === undefined || atMs >= from * day) && (to === undefined || atMs < to * day),
        );
        expect(found === null ? null : periods.indexOf(found)).toBe(
          expected ? list.lastIndexOf(expected) : null,
        );
      }),
    );
  });

  it('a level holds above its border, and there is one for every length of input', () => {
    const tiers = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 4 });
    fc.assert(
      fc.property(tiers, fc.nat(600), (borders, total) => {
        const period = compilePeriod('p', {
          rates: { input: 1 },
          tiers: borders.map((over) => ({ over, rates: { input: over } })),
        });
        const level = levelFor(period, total);
        expect(level?.overTokens).toBe(Math.max(-1, ...borders.filter((over) => total > over)));
        expect(level?.rates(LIST_PRICE).buckets[0]?.pico).toBe(
          Math.max(1, ...borders.filter((over) => total > over)),
        );
      }),
    );
  });

  it('an operator’s price has one level, thinking at the price of what is seen, tool prompts at that of input', () => {
    const few = overrideLevel(
      new Map([
        ['inputUncached', 3],
        ['outputVisible', 7],
      ] as const),
    ).rates(LIST_PRICE);
    const priced = TOKEN_BUCKETS.filter((_, i) => few.buckets[i] !== null);
    expect(priced).toEqual(['inputUncached', 'inputTool', 'outputVisible', 'outputReasoning']);
    const own = overrideLevel(
      new Map([
        ['inputUncached', 3],
        ['inputTool', 0],
        ['outputVisible', 7],
        ['outputReasoning', 9],
      ] as const),
    );
    const at = (bucket: (typeof TOKEN_BUCKETS)[number]) =>
      own.rates(LIST_PRICE).buckets[TOKEN_BUCKETS.indexOf(bucket)]?.pico;
    expect([at('inputTool'), at('outputReasoning')]).toEqual([0, 9]);
    expect(own.rates(LIST_PRICE).request).toBeNull();
  });
});

describe('sums of tokens', () => {
  const counts = fc
    .record(
      Object.fromEntries(
        TOKEN_BUCKETS.map((bucket) => [bucket, fc.option(fc.nat(1_000_000), { nil: null })]),
      ),
    )
    .map((made) => tokenCounts(made));

  it('are input and output, with nothing in both and nothing left out', () => {
    fc.assert(
      fc.property(counts, (tokens) => {
        const output = (['outputVisible', 'outputReasoning', 'outputAudio', 'outputImage'] as const).reduce(
          (sum, bucket) => sum + (tokens[bucket] ?? 0),
          0,
        );
        expect(totalInputTokens(tokens) + output).toBe(totalTokens(tokens) ?? 0);
      }),
    );
    for (const bucket of TOKEN_BUCKETS) {
      expect([bucket, totalInputTokens(only(bucket, 3))]).toEqual([
        bucket,
        bucket.startsWith('output') ? 0 : 3,
      ]);
    }
  });

  it('weigh more the more there are, and as much as their parts but for one rounding', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const both = tokenCounts({});
        for (const bucket of TOKEN_BUCKETS) {
          const [x, y] = [a[bucket], b[bucket]];
          if (x !== null || y !== null) both[bucket] = (x ?? 0) + (y ?? 0);
        }
        const parts = (weightedTokens(a) ?? 0) + (weightedTokens(b) ?? 0);
        expect(Math.abs((weightedTokens(both) ?? 0) - parts)).toBeLessThanOrEqual(1);
        expect(weightedTokens(both) ?? 0).toBeGreaterThanOrEqual(
          Math.max(weightedTokens(a) ?? 0, weightedTokens(b) ?? 0),
        );
      }),
    );
  });
});

describe('release dates', () => {
  const base = fc.constantFrom('gpt-5', 'claude-sonnet-4-5', 'o', 'a-b@c', 'openai/gpt-4o');
  const date = fc.date({
    min: new Date('2000-01-01T00:00:00Z'),
    max: new Date('2099-12-28T00:00:00Z'),
    noInvalidDate: true,
  });

  it('come off whole, once, in each of the three ways they are written', () => {
    fc.assert(
      fc.property(base, date, (name, when) => {
        const day = when.toISOString().slice(0, 10);
        const packed = day.replaceAll('-', '');
        for (const id of [`${name}-${packed}`, `${name}@${packed}`, `${name}-${day}`]) {
          expect(withoutReleaseDate(id)).toBe(name);
          expect(isSameModel(id.toUpperCase(), name)).toBe(true);
        }
        expect(withoutReleaseDate(`${name}-${packed}-${packed}`)).toBe(`${name}-${packed}`);
        expect(withoutReleaseDate(`${name}-${packed}-v1`)).toBeNull();
        expect(withoutReleaseDate(packed)).toBeNull();
      }),
    );
  });

  it('make versions of one model alike, and no two models', () => {
    expect(isSameModel('gpt-5-2025-08-07', 'gpt-5-2026-01-01')).toBe(true);
    expect(isSameModel('gpt-5-mini-2025-08-07', 'gpt-5-2025-08-07')).toBe(false);
    expect(isSameModel('gpt-5', 'gpt-5-latest')).toBe(false);
    expect(isSameModel('', '')).toBe(true);
  });
});
