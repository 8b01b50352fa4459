import { type PriceCase, priceOverride, pricesBy } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import type { PriceOverride } from './price-override.ts';
import { loadSnapshot } from './price-snapshot.ts';

const snapshot = loadSnapshot();
const book = compilePriceBook(snapshot, []);
const price = (input: PriceCase, prices = book) => pricesBy(prices).price(input);
const cost = (input: PriceCase, prices = book) => price(input, prices).costNanoUsd;

describe('overrides', () => {
  const withOverrides = (...rows: PriceOverride[]) => compilePriceBook(snapshot, rows);
  const tokens = { inputUncached: 1_000_000 };

  it('wins over the list price, also for dated ids, and names itself', () => {
    const own = withOverrides(priceOverride({}));
    expect(own.cards).toBe(book.cards + 1);
    expect(price({ model: 'claude-sonnet-4-6', tokens }, own)).toMatchObject({
      costNanoUsd: 1_000_000_000n,
      priceStatus: 'priced',
      priceCard: 'anthropic/claude-sonnet-4-6@override:ovr_1',
    });
    expect(cost({ model: 'claude-sonnet-4-6-20260201', tokens }, own)).toBe(1_000_000_000n);
    expect(cost({ model: 'claude-sonnet-4-5', tokens }, own)).toBe(6_000_000_000n);
  });

  it('holds between its dates only: from inclusive, to exclusive', () => {
    const own = withOverrides(
      priceOverride({ validFromMs: Date.parse('2026-06-01'), validToMs: Date.parse('2026-07-01') }),
    );
    const at = (time: string) =>
      cost({ model: 'claude-sonnet-4-6', tokens: { inputUncached: 1000 }, at: time }, own);
    expect(at('2026-05-31T23:59:59.999Z')).toBe(3_000_000n);
    expect(at('2026-06-01T00:00:00Z')).toBe(1_000_000n);
    expect(at('2026-06-30T23:59:59.999Z')).toBe(1_000_000n);
    expect(at('2026-07-01T00:00:00Z')).toBe(3_000_000n);
  });

  it('lets the newest valid one win', () => {
    const own = withOverrides(
      priceOverride({ id: 'old', ratesPicoUsd: { inputUncached: '5' }, createdAtMs: 1 }),
      priceOverride({ id: 'new', ratesPicoUsd: { inputUncached: '7' }, createdAtMs: 9 }),
      priceOverride({
        id: 'later',
        ratesPicoUsd: { inputUncached: '9' },
        createdAtMs: 99,
        validFromMs: Date.parse('2030-01-01'),
      }),
    );
    expect(cost({ model: 'claude-sonnet-4-6', tokens }, own)).toBe(7000n);
  });

  it('gives a price to a provider that has none', () => {
    const own = withOverrides(priceOverride({ provider: 'ollama', model: 'llama3.1' }));
    expect(cost({ provider: 'ollama', model: 'llama3.1', tokens }, own)).toBe(1_000_000_000n);
    expect(cost({ provider: 'ollama', model: 'llama3.2', tokens }, own)).toBeNull();
  });

  it('is free when every rate is zero, whatever the bucket', () => {
    const own = withOverrides(
      priceOverride({ provider: 'ollama', model: 'm', ratesPicoUsd: { inputUncached: '0' } }),
    );
    expect(
      price({ provider: 'ollama', model: 'm', tokens: { cacheRead: 5, outputVisible: 9 } }, own),
    ).toMatchObject({
      costNanoUsd: 0n,
      priceStatus: 'free',
    });
  });

  it('replaces the whole card: a bucket it leaves out has no price', () => {
    const own = withOverrides(priceOverride({}));
    expect(cost({ model: 'claude-sonnet-4-6', tokens: { ...tokens, cacheRead: 1 } }, own)).toBeNull();
    expect(cost({ model: 'claude-sonnet-4-6', tokens: { outputReasoning: 1_000_000 } }, own)).toBe(
      2_000_000_000n,
    );
  });

  it('is subject to the terms of service like the list price', () => {
    const own = withOverrides(priceOverride({ model: 'claude-opus-5' }));
    const terms = { speed: 'fast' };
    expect(cost({ model: 'claude-opus-5', tokens, terms }, own)).toBe(2_000_000_000n);
    expect(cost({ model: 'claude-opus-5', tokens, terms: { serviceTier: 'priority' } }, own)).toBeNull();
  });

  it('of a family does not touch a version that is listed at its own price', () => {
    const own = withOverrides(priceOverride({ provider: 'openai', model: 'gpt-4o' }));
    expect(cost({ provider: 'openai', model: 'gpt-4o-2024-08-06', tokens }, own)).toBe(1_000_000_000n);
    expect(cost({ provider: 'openai', model: 'gpt-4o-2024-05-13', tokens }, own)).toBe(5_000_000_000n);
  });

  it.each([
    [{ input: '1' }],
    [{ inputUncached: '-1' }],
    [{ inputUncached: '1.5' }],
    [{ inputUncached: '1e3' }],
    [{ inputUncached: '' }],
    [{ inputUncached: '99999999999999' }],
    [{ __proto__: null, constructor: '1' }],
    [{}],
  ])('refuses %o', (ratesPicoUsd) => {
    expect(() =>
      withOverrides(priceOverride({ ratesPicoUsd: ratesPicoUsd as Record<string, string> })),
    ).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
