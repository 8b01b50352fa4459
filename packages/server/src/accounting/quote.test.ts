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

  it('is made of the sub-calls alone when the call itself reports no usage', () => {
    const none = part(null, null);
    expect(quote(whole(none))).toMatchObject({ costNanoUsd: null, priceStatus: 'no_usage', lines: [] });
    expect(quote(whole(none, part('claude-haiku-4-5', 1000)))).toMatchObject({
      costNanoUsd: 1_000_000n,
      priceStatus: 'priced',
      priceCard: null,
    });
    const unknown = part('claude-haiku-5-5', 1000);
    const known = part('claude-haiku-4-5', 1000);
    for (const parts of [[unknown], [unknown, known], [known, unknown]]) {
      expect(quote(whole(none, ...parts))).toMatchObject({ costNanoUsd: null, priceStatus: 'unpriced' });
    }
  });

  it('passes over a sub-call without usage: it is listed, and changes no total', () => {
    const result = quote(whole(part(null, 1000), part('claude-haiku-5-5', null), part(null, 10)));
    expect(result.costNanoUsd).toBe(5_000_000n + 50_000n);
    expect(result.priceStatus).toBe('priced');
    expect(result.subCalls.map(({ model, priceStatus }) => [model, priceStatus])).toEqual([
      ['claude-haiku-5-5', 'no_usage'],
      // A sub-call that names no model is one of the call's own.
      ['claude-opus-5', 'priced'],
    ]);
  });

  it('is free only while every part is, and priced as soon as one is', () => {
    const free = (model: string, ...subCalls: ModelUsage[]) =>
      quoteAnswer(book, [{ ...normaliser, priceProvider: 'google' }], {
        provider: 'anthropic',
        model,
        atMs: Date.parse('2026-11-01'),
        answer: whole(part(null, 1000), ...subCalls),
      });
    expect(free('gemma-4-31b-it', part('gemma-4-26b-a4b-it', 5))).toMatchObject({
      costNanoUsd: 0n,
      priceStatus: 'free',
    });
    expect(free('gemma-4-31b-it', part('gemini-2.5-flash', 1000))).toMatchObject({
      costNanoUsd: 300_000n,
      priceStatus: 'priced',
    });
    expect(free('gemini-2.5-flash', part('gemma-4-31b-it', 1000))).toMatchObject({
      costNanoUsd: 300_000n,
      priceStatus: 'priced',
    });
  });

  it('does not repeat a long name that it was given', () => {
    const long = 'x'.repeat(65);
    expect(() => quote(null, 'm', long)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`"${'x'.repeat(64)}"`) }),
    );
  });
});
