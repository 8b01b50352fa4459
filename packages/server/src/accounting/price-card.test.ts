import { TOKEN_BUCKETS, unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { compilePeriod, levelFor, type PriceCard, periodAt } from './price-card.ts';
import { loadSnapshot, type PriceSnapshot, type SnapshotPeriod } from './price-snapshot.ts';
import { priceUsage } from './price-usage.ts';

const LIST = { num: 1, den: 1, normalContextOnly: false };
const card = (...periods: SnapshotPeriod[]): PriceCard => ({
  model: 'm',
  label: 'p/m@1',
  free: false,
  periods: periods.map((period) => compilePeriod('p', period)),
});
const inputRate = (of: PriceCard, iso: string, total = 1) => {
  const period = periodAt(of, Date.parse(iso));
  return period ? (levelFor(period, total)?.rates(LIST).buckets[0]?.pico ?? null) : null;
};

describe('periods', () => {
  it('lets the last one that applies win', () => {
    const dated = card({ rates: { input: 1 } }, { from: '2026-01-01', rates: { input: 2 } });
    expect(inputRate(dated, '2025-12-31T23:59:59.999Z')).toBe(1);
    expect(inputRate(dated, '2026-01-01T00:00:00Z')).toBe(2);
  });

  it('has none before the first and after the last', () => {
    const bounded = card({ from: '2026-01-01', to: '2026-02-01', rates: { input: 1 } });
    expect(inputRate(bounded, '2025-12-31T23:59:59.999Z')).toBeNull();
    expect(inputRate(bounded, '2026-01-31T23:59:59.999Z')).toBe(1);
    expect(inputRate(bounded, '2026-02-01T00:00:00Z')).toBeNull();
  });

  it('knows hours that go over midnight', () => {
    const night = card({ rates: { input: 1 } }, { daily: ['22:00:00Z', '02:00:00Z'], rates: { input: 2 } });
    const at = (time: string) => inputRate(night, `2026-05-05T${time}Z`);
    expect([
      at('21:59:59.999'),
      at('22:00:00'),
      at('23:59:59.999'),
      at('00:00:00'),
      at('01:59:59.999'),
    ]).toEqual([1, 2, 2, 2, 2]);
    expect([at('02:00:00'), at('12:00:00')]).toEqual([1, 1]);
    expect(inputRate(night, '1969-12-31T23:00:00Z')).toBe(2);
  });

  it.each<SnapshotPeriod>([
    { from: 'soon', rates: {} },
    { to: '2026-13-01', rates: {} },
    { daily: ['25:00:00Z', '02:00:00Z'], rates: {} },
  ])('refuses %o', (period) => {
    expect(() => compilePeriod('p', period)).toThrow(RangeError);
  });
});

describe('tiers', () => {
  const tiered = card({
    rates: { input: 10, output: 100 },
    // In any order, each saying only what changes.
    tiers: [
      { over: 2000, rates: { input: 30 } },
      { over: 1000, rates: { input: 20, output: 200 } },
    ],
  });
  it.each([
    [0, 10, 100],
    [1000, 10, 100],
    [1001, 20, 200],
    [2000, 20, 200],
    [2001, 30, 200],
  ])('%i tokens in: %i and %i', (total, input, output) => {
    const period = tiered.periods[0]!;
    const { buckets } = levelFor(period, total)!.rates(LIST);
    expect(buckets[TOKEN_BUCKETS.indexOf('inputUncached')]?.pico).toBe(input);
    expect(buckets[TOKEN_BUCKETS.indexOf('outputVisible')]?.pico).toBe(output);
  });

  it('keeps the rates of a factor', () => {
    const level = levelFor(tiered.periods[0]!, 0)!;
    expect(level.rates(LIST)).toBe(level.rates({ num: 1, den: 1, normalContextOnly: true }));
    expect(level.rates({ num: 1, den: 2, normalContextOnly: false }).buckets[0]).toEqual({
      pico: 5,
      picoBig: 5n,
    });
  });
});

describe('a book', () => {
  const snapshot: PriceSnapshot = {
    ...loadSnapshot(),
    providers: {
      p: [
        { id: 'listed', also: ['alias'], periods: [{ rates: { input: 1_000_000 } }] },
        { id: 'gift', also: [], periods: [{ rates: { input: 0, output: 0 } }] },
        { id: 'half-gift', also: [], periods: [{ rates: { input: 0, output: 1 } }] },
      ],
    },
  };
  const book = compilePriceBook(snapshot, []);
  const price = (model: string) =>
    priceUsage(book, {
      provider: 'p',
      usage: {
        model,
        tokens: { ...unknownTokens(), inputUncached: 1000 },
        units: unknownUnits(),
        serviceTier: null,
        speed: null,
        geo: null,
        batch: false,
      },
      fallbackModel: null,
      atMs: 0,
    });

  it('names the card by its id, whatever alias was used', () => {
    expect(price('ALIAS').priceCard).toBe(`p/listed@${book.version}`);
    expect(price('alias-20260101').costNanoUsd).toBe(1_000_000n);
  });

  it('calls free only what costs nothing at all', () => {
    expect(price('gift')).toMatchObject({
      priceStatus: 'free',
      costNanoUsd: 0n,
      priceCard: `p/gift@${book.version}`,
    });
    expect(price('half-gift')).toMatchObject({ priceStatus: 'priced', costNanoUsd: 0n });
  });

  it('says which version it is', () => {
    expect(book.version).toBe(`genai-prices-${snapshot.source.version}+2`);
    expect(compilePriceBook(loadSnapshot(), []).cards).toBeGreaterThan(1600);
  });
});
