import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';
import { quoteAnswer, type UsageNormaliser } from './quote.ts';
import type { ModelUsage, NormalizedUsage } from './usage.ts';

const book = compilePriceBook(loadSnapshot(), []);
const part = (model: string | null, inputUncached: number | null): ModelUsage => ({
  model,
  tokens: { ...unknownTokens(), inputUncached },
  units: unknownUnits(),
  serviceTier: null,
  speed: null,
  geo: null,
  batch: false,
});

/** Hands the answer through: what is under test is the quoting. */
const normaliser: UsageNormaliser = {
  providerIds: ['anthropic', 'claude'],
  priceProvider: 'anthropic',
  fromAnswer: (answer) => answer as NormalizedUsage | null,
};
const whole = (main: ModelUsage, ...subCalls: ModelUsage[]): NormalizedUsage => ({
  ...main,
  complete: true,
  subCalls,
  providerCostUsd: null,
  raw: null,
});
const quote = (answer: NormalizedUsage | null, model = 'claude-opus-5', provider = 'anthropic') =>
  quoteAnswer(book, [normaliser], { provider, model, atMs: Date.parse('2026-11-01'), answer });

describe('quoting an answer', () => {
  it('names the known providers when it is asked for another', () => {
    expect(() => quote(null, 'x', 'acme')).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringContaining('anthropic, claude'),
      }),
    );
    expect(quote(null, 'x', 'Claude').priceStatus).toBe('no_usage');
  });

  it('adds sub-calls under their own model', () => {
    const result = quote(whole(part(null, 1000), part('claude-haiku-4-5', 1000)));
    expect(result.costNanoUsd).toBe(5_000_000n + 1_000_000n);
    expect(result.priceStatus).toBe('priced');
    expect(result.lines.map(({ model, amountPicoUsd }) => [model, amountPicoUsd])).toEqual([
      ['claude-opus-5', 5_000_000_000n],
      ['claude-haiku-4-5', 1_000_000_000n],
    ]);
    expect(result.subCalls).toEqual([
      {
        model: 'claude-haiku-4-5',
        costNanoUsd: 1_000_000n,
        priceStatus: 'priced',
        priceCard: `anthropic/claude-haiku-4-5@${book.version}`,
      },
    ]);
  });

  it('has no total as soon as one part has no price (X-03)', () => {
    const result = quote(
      whole(part(null, 1000), part('claude-haiku-5-5', 1000), part('claude-haiku-4-5', 1)),
    );
    expect(result).toMatchObject({ costNanoUsd: null, priceStatus: 'unpriced' });
    expect(quote(whole(part(null, 1000), part('claude-haiku-4-5', 1)), 'claude-x')).toMatchObject({
      costNanoUsd: null,
      priceStatus: 'unpriced',
    });
  });

  it('prices by the model it is asked for, whatever the answer names', () => {
    expect(quote(whole(part('claude-haiku-4-5', 1000))).costNanoUsd).toBe(5_000_000n);
  });
});
