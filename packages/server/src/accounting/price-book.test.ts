import { only, priceOverride, pricesBy } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { parseOverrideRates } from './price-override.ts';
import { loadSnapshot, type PriceSnapshot, type SnapshotModel } from './price-snapshot.ts';

const model = (id: string, input: number, also: string[] = []): SnapshotModel => ({
  id,
  also,
  periods: [{ rates: { input, output: input } }],
});
const snapshot: PriceSnapshot = {
  ...loadSnapshot(),
  providers: {
    acme: [
      model('swift', 1000, ['swift-latest', 'swift-20260101']),
      model('swift-20250101', 2000),
      model('slow-20250101', 3000),
    ],
    other: [model('swift', 9000)],
  },
};
const nano = (id: string, book = compilePriceBook(snapshot, []), provider = 'acme') =>
  pricesBy(book).cost({ provider, model: id, tokens: only('inputUncached', 1000) });

describe('finding the card of a model id', () => {
  it.each([
    ['swift', 1000n],
    ['SWIFT', 1000n],
    ['swift-latest', 1000n],
    // Listed by its full name, and by the name less its date.
    ['swift-20260101', 1000n],
    ['swift-20250101', 2000n],
    ['swift-20270101', 1000n],
    ['swift@20270101', 1000n],
    ['swift-2027-01-01', 1000n],
    ['slow-20250101', 3000n],
    // An alias has a date taken off like an id.
    ['swift-latest-20270101', 1000n],
  ])('%s costs %s', (id, expected) => expect(nano(id)).toBe(expected));

  it.each(['slow', 'slow-20260101', 'swif', 'swift-', 'swift-2', 'swift-mini', 'acme/swift', ' swift', ''])(
    '%j has none',
    (id) => expect(nano(id)).toBeNull(),
  );

  it('looks only at the provider it is asked about', () => {
    expect(nano('swift', compilePriceBook(snapshot, []), 'other')).toBe(9000n);
    expect(nano('slow-20250101', compilePriceBook(snapshot, []), 'other')).toBeNull();
    expect(nano('swift', compilePriceBook(snapshot, []), 'nobody')).toBeNull();
  });

  it('lists what it has, aliases included', () => {
    const book = compilePriceBook(snapshot, [priceOverride({ provider: 'own', model: 'x' })]);
    expect(book.modelsOf('acme').sort()).toEqual([
      'slow-20250101',
      'swift',
      'swift-20250101',
      'swift-20260101',
      'swift-latest',
    ]);
    expect(book.modelsOf('nobody')).toEqual([]);
    expect([book.hasProvider('acme'), book.hasProvider('own'), book.hasProvider('nobody')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('counts cards, not names, and overrides with them', () => {
    // Google's free models are of our own layer.
    expect(compilePriceBook(snapshot, []).cards).toBe(4 + 2);
    const overrides = ['a', 'b'].map((id) => priceOverride({ id, provider: 'acme', model: 'swift' }));
    expect(compilePriceBook(snapshot, overrides).cards).toBe(4 + 2 + 2);
  });
});

describe('what the book remembers of ids from outside', () => {
  it('gives the same resolution again, and a new one once its memory was emptied at 4,096 ids', () => {
    const book = compilePriceBook(snapshot, []);
    const first = book.resolve('acme', 'swift');
    expect(book.resolve('acme', 'swift')).toBe(first);
    // With the one above there are 4,096: still remembered.
    for (let index = 1; index < 4096; index += 1) book.resolve('acme', `made-up-${index}`);
    expect(book.resolve('acme', 'swift')).toBe(first);
    book.resolve('acme', 'one-too-many');
    const second = book.resolve('acme', 'swift');
    expect(second).not.toBe(first);
    expect(second).toEqual(first);
  });

  it('does not remember, nor look for, an id of more than 256 characters', () => {
    const long = 'a'.repeat(256);
    const book = compilePriceBook(
      { ...snapshot, providers: { acme: [model(long, 1000), model(`${long}a`, 2000)] } },
      [],
    );
    expect(nano(long, book)).toBe(1000n);
    expect(nano(`${long}a`, book)).toBeNull();
    expect(book.resolve('acme', `${long}a`)).toBe(book.resolve('acme', `${long}b`));
  });
});

describe('overrides in a book', () => {
  const own = (...changes: Parameters<typeof priceOverride>[0][]) =>
    compilePriceBook(
      snapshot,
      changes.map((change, index) =>
        priceOverride({
          id: `o${index}`,
          provider: 'acme',
          ratesPicoUsd: { inputUncached: '50' },
          ...change,
        }),
      ),
    );

  it('of a family holds for its dated versions, but not for one with a card of its own', () => {
    const book = own({ model: 'Swift' });
    expect(nano('swift', book)).toBe(50n);
    expect(nano('swift-20270101', book)).toBe(50n);
    // Listed by name, yet on the card of the family.
    expect(nano('swift-20260101', book)).toBe(50n);
    expect(nano('swift-20250101', book)).toBe(2000n);
  });

  it('of a version comes before that of its family, whichever is newer', () => {
    const rates = { inputUncached: '70' };
    for (const createdAtMs of [0, 9]) {
      const book = own({ model: 'swift' }, { model: 'swift-20270101', ratesPicoUsd: rates, createdAtMs });
      expect(nano('swift-20270101', book)).toBe(70n);
      expect(nano('swift', book)).toBe(50n);
    }
  });

  it('of a family that no card knows holds for every dated version', () => {
    const book = own({ model: 'slow' });
    expect(nano('slow', book)).toBe(50n);
    expect(nano('slow-20260101', book)).toBe(50n);
  });

  it('falls back from an expired one to the next older, and to the list', () => {
    const book = own(
      { model: 'swift', createdAtMs: 1, ratesPicoUsd: { inputUncached: '10' }, validToMs: 2000 },
      {
        model: 'swift',
        createdAtMs: 2,
        ratesPicoUsd: { inputUncached: '20' },
        validFromMs: 0,
        validToMs: 1000,
      },
    );
    const at = (ms: number) =>
      pricesBy(book).cost({
        provider: 'acme',
        model: 'swift',
        tokens: only('inputUncached', 1000),
        at: new Date(ms).toISOString(),
      });
    // From the first millisecond of 1970 on: a date of zero is a date.
    expect([-1, 0, 999, 1000, 1999, 2000].map(at)).toEqual([10n, 20n, 20n, 10n, 10n, 1000n]);
  });

  it('takes the factors of the card that the override speaks of, dated or by an alias', () => {
    const real = loadSnapshot();
    for (const name of [
      'claude-opus-5',
      'claude-opus-5-20260601',
      'claude-5-opus',
      'claude-5-opus-20260601',
    ]) {
      const book = compilePriceBook(real, [priceOverride({ model: name })]);
      const fast = pricesBy(book).cost({
        model: name,
        tokens: only('inputUncached'),
        terms: { speed: 'fast' },
      });
      expect([name, fast]).toEqual([name, 2_000_000_000n]);
    }
    const unknown = compilePriceBook(real, [priceOverride({ model: 'claude-opus-9' })]);
    const ask = { model: 'claude-opus-9', tokens: only('inputUncached') };
    expect(pricesBy(unknown).cost(ask)).toBe(1_000_000_000n);
    expect(pricesBy(unknown).cost({ ...ask, terms: { batch: true } })).toBe(500_000_000n);
    expect(pricesBy(unknown).cost({ ...ask, terms: { speed: 'fast' } })).toBeNull();
  });

  it('prices uses and tool prompts, and a code run only by the operator’s own rate', () => {
    const rates = { inputUncached: '1000', codeExecutionRequests: '7000', webSearchRequests: '9000' };
    const { cost } = pricesBy(own({ model: 'swift', ratesPicoUsd: rates }));
    const ask = { provider: 'acme', model: 'swift' };
    expect(cost({ ...ask, tokens: only('inputTool', 5) })).toBe(5n);
    expect(cost({ ...ask, units: { codeExecutionRequests: 2 } })).toBe(14n);
    expect(cost({ ...ask, units: { webSearchRequests: 1, codeExecutionRequests: 1 } })).toBe(16n);
    expect(cost({ ...ask, units: { webFetchRequests: 1 } })).toBeNull();
  });

  it('is free only when every rate is zero', () => {
    const status = (ratesPicoUsd: Record<string, string>) =>
      pricesBy(own({ model: 'swift', ratesPicoUsd })).price({
        provider: 'acme',
        model: 'swift',
        tokens: only('outputVisible'),
      }).priceStatus;
    expect(status({ inputUncached: '0', outputVisible: '0' })).toBe('free');
    expect(status({ inputUncached: '0', outputVisible: '1' })).toBe('priced');
    expect(status({ inputUncached: '1', outputVisible: '0' })).toBe('priced');
    expect(status({ inputUncached: '1' })).toBe('unpriced');
  });
});

describe('the rates of an override', () => {
  it('are whole numbers up to ten dollars a token, and nothing else is one', () => {
    const parse = (text: string) => parseOverrideRates({ inputUncached: text }).get('inputUncached');
    expect(parse('0')).toBe(0);
    expect(parse('007')).toBe(7);
    expect(parse('10000000000000')).toBe(10_000_000_000_000);
    for (const text of [
      '10000000000001',
      '010000000000000',
      ' 1',
      '1 ',
      '+1',
      '-0',
      '0x1',
      '1n',
      '１',
      '1_0',
    ]) {
      expect(() => parse(text), text).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    }
  });

  it('come back as they were given, whatever the buckets', () => {
    const given = fc.record(
      { inputUncached: fc.nat(), cacheRead: fc.nat(), outputAudio: fc.nat(), webFetchRequests: fc.nat() },
      { requiredKeys: ['outputAudio'] },
    );
    fc.assert(
      fc.property(given, (rates) => {
        const text = Object.fromEntries(Object.entries(rates).map(([unit, pico]) => [unit, String(pico)]));
        expect(Object.fromEntries(parseOverrideRates(text))).toEqual(rates);
      }),
    );
  });

  it('are refused by the name of the unit, so that the person can mend it', () => {
    expect(() => parseOverrideRates({ inputUncached: '1', cacheread: '1' })).toThrow(/"cacheread"/);
    expect(() => parseOverrideRates({ outputVisible: 'x' })).toThrow(/outputVisible/);
    expect(() => parseOverrideRates({})).toThrow(/at least one rate/);
  });
});
