import { TOKEN_BUCKETS, type TokenCounts } from '@tallygate/contract/usage';
import { only, type PriceCase, priceOverride, pricesBy, tokenCounts } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot, type SnapshotPeriod } from './price-snapshot.ts';

const TIERED: SnapshotPeriod = {
  rates: { input: 1000, cacheRead: 100, output: 5000, webSearch: 7_000_000, request: 11_000_000 },
  tiers: [{ over: 1000, rates: { input: 2000, cacheRead: 200, output: 9000 } }],
};
const FLAT: SnapshotPeriod = { rates: TIERED.rates };
const book = compilePriceBook(
  {
    ...loadSnapshot(),
    providers: {
      acme: [
        { id: 'tiered', also: [], periods: [TIERED] },
        { id: 'flat', also: [], periods: [FLAT] },
        {
          id: 'dear',
          also: [],
          periods: [{ rates: { input: 9_000_000_000_000, output: 9_000_000_000_000 } }],
        },
      ],
    },
  },
  [],
);
const { price, cost } = pricesBy(book);
const ask = (input: Partial<PriceCase>) => ({ provider: 'acme', model: 'tiered', ...input });
/** Charged once for the request. */
const REQUEST = 11_000n;

describe('an answer that lists its calls', () => {
  const small = tokenCounts({ inputUncached: 600, outputVisible: 10 });
  const large = tokenCounts({ inputUncached: 600, cacheRead: 401, outputVisible: 10 });
  const sum = tokenCounts({ inputUncached: 1200, cacheRead: 401, outputVisible: 20 });

  it('has a context tier for each call, by all of its own input', () => {
    expect(cost(ask({ tokens: sum, calls: [small, large] }))).toBe(
      600n + 50n + (1200n + 80n + 90n) + REQUEST,
    );
    // The border itself is still the normal rate.
    const border = tokenCounts({ inputUncached: 1000 });
    expect(cost(ask({ tokens: only('inputUncached', 2000), calls: [border, border] }))).toBe(2000n + REQUEST);
  });

  it('is as dear as one long call when it does not list them', () => {
    expect(cost(ask({ tokens: sum }))).toBe(2400n + 80n + 180n + REQUEST);
  });

  it('is the sum of its tokens where the card has one rate for every length', () => {
    expect(cost(ask({ model: 'flat', tokens: sum, calls: [small, large] }))).toBe(
      cost(ask({ model: 'flat', tokens: sum })) ?? -1n,
    );
  });

  it('pays for searches and for the request once, not for each call', () => {
    const units = { webSearchRequests: 3 };
    const plain = cost(ask({ tokens: sum, calls: [small, large] })) ?? 0n;
    expect(cost(ask({ tokens: sum, calls: [small, large], units }))).toBe(plain + 21_000n);
    const { lines } = price(ask({ tokens: sum, calls: [small, large, small], units }));
    expect(lines.filter(({ unit }) => unit === 'request')).toHaveLength(1);
    expect(lines.filter(({ unit }) => unit === 'webSearchRequests')).toHaveLength(1);
    expect(
      lines.filter(({ unit }) => unit === 'inputUncached').map(({ ratePicoUsd }) => ratePicoUsd),
    ).toEqual([1000n, 2000n, 1000n]);
  });

  it('has no price as soon as one of the calls used something that has none (X-03)', () => {
    const strange = tokenCounts({ inputUncached: 1, inputAudio: 1 });
    expect(price(ask({ tokens: sum, calls: [small, strange] })).priceStatus).toBe('unpriced');
    expect(price(ask({ tokens: sum, calls: [strange, small] })).priceStatus).toBe('unpriced');
  });

  it('adds up exactly, however it is cut into calls within one tier', () => {
    const part = fc.record({
      inputUncached: fc.nat(400),
      cacheRead: fc.nat(400),
      outputVisible: fc.nat(5000),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const calls = parts.map((one) => tokenCounts(one));
        const total: TokenCounts = tokenCounts({});
        for (const bucket of TOKEN_BUCKETS)
          for (const one of calls)
            if (one[bucket] !== null) total[bucket] = (total[bucket] ?? 0) + one[bucket];
        expect(cost(ask({ tokens: total, calls }))).toBe(cost(ask({ model: 'flat', tokens: total })));
      }),
    );
  });
});

describe('what counts as used', () => {
  it('a search alone is a bill, also when no token is known', () => {
    expect(price(ask({ units: { webSearchRequests: 1 } }))).toMatchObject({
      costNanoUsd: 7_000n + REQUEST,
      priceStatus: 'priced',
    });
    expect(price(ask({ units: { webFetchRequests: 0 } })).priceStatus).toBe('priced');
    expect(price(ask({})).priceStatus).toBe('no_usage');
  });

  it.each(TOKEN_BUCKETS)('an explicit zero of %s is known, and costs nothing', (bucket) => {
    expect(price(ask({ tokens: only(bucket, 0) }))).toMatchObject({
      costNanoUsd: REQUEST,
      priceStatus: 'priced',
    });
  });

  it('a bucket that the answer left out adds nothing to one that it named', () => {
    expect(cost(ask({ model: 'flat', tokens: { inputUncached: 1000 } }))).toBe(1000n + REQUEST);
    expect(cost(ask({ model: 'flat', tokens: { inputUncached: 1000, inputAudio: 0 } }))).toBe(
      1000n + REQUEST,
    );
    expect(cost(ask({ model: 'flat', tokens: { inputUncached: 1000, inputAudio: 1 } }))).toBeNull();
  });
});

describe('amounts beyond what a number holds', () => {
  it('are exact to the last nano-dollar, in whatever order they come', () => {
    const count = fc.integer({ min: 0, max: 2_000_000_000 });
    fc.assert(
      fc.property(count, count, count, (input, tool, output) => {
        const tokens = { inputUncached: input, inputTool: tool, outputVisible: output };
        const pico = (BigInt(input) + BigInt(tool) + BigInt(output)) * 9_000_000_000_000n;
        expect(cost(ask({ model: 'dear', tokens }))).toBe(pico / 1000n);
        for (const { amountPicoUsd, quantity } of price(ask({ model: 'dear', tokens })).lines)
          expect(amountPicoUsd).toBe(BigInt(quantity) * 9_000_000_000_000n);
      }),
    );
  });

  it('are added to small ones that came before and after', () => {
    const own = priceOverride({
      provider: 'acme',
      model: 'mixed',
      ratesPicoUsd: {
        inputUncached: '1',
        cacheRead: '10000000000000',
        cacheWrite5m: '10000000000000',
        outputVisible: '500',
      },
    });
    const mixed = pricesBy(compilePriceBook({ ...loadSnapshot(), providers: {} }, [own]));
    const tokens = { inputUncached: 501, cacheRead: 1_000_000, cacheWrite5m: 1_000_000, outputVisible: 1 };
    // 501 + 2 × 10¹⁹ + 500 pico-dollars.
    expect(mixed.cost({ provider: 'acme', model: 'mixed', tokens })).toBe(20_000_000_000_000_001n);
  });
});
