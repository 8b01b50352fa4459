import { pricesBy } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';
import type { ServedTerms } from './usage.ts';

const book = compilePriceBook(loadSnapshot(), []);
const { cost } = pricesBy(book);

describe('the terms that the answer reports', () => {
  const tokens = { inputUncached: 100_000, cacheRead: 10_000, outputVisible: 10_000 };
  const factorOf = (provider: string, model: string, terms: Partial<ServedTerms>) => {
    const plain = cost({ provider, model, tokens })!;
    const priced = cost({ provider, model, tokens, terms });
    return priced === null ? null : Number(priced) / Number(plain);
  };
  it.each([
    ['anthropic', 'claude-sonnet-4-6', { serviceTier: 'standard' }, 1],
    ['anthropic', 'claude-sonnet-4-6', { serviceTier: 'batch', batch: true }, 0.5],
    ['anthropic', 'claude-sonnet-4-6', { batch: true }, 0.5],
    ['anthropic', 'claude-sonnet-4-6', { serviceTier: 'priority' }, null],
    ['anthropic', 'claude-opus-5', { speed: 'fast' }, 2],
    ['anthropic', 'claude-opus-4-8-20260501', { speed: 'fast' }, 2],
    ['anthropic', 'claude-opus-4-6', { speed: 'fast' }, 6],
    ['anthropic', 'claude-opus-5', { speed: 'standard' }, 1],
    ['anthropic', 'claude-sonnet-4-6', { speed: 'fast' }, null],
    ['anthropic', 'claude-opus-5', { speed: 'warp' }, null],
    ['anthropic', 'claude-opus-5', { geo: 'us' }, 1.1],
    ['anthropic', 'claude-opus-5', { geo: 'us', speed: 'fast' }, 2.2],
    ['anthropic', 'claude-opus-5', { geo: 'us', batch: true }, 0.55],
    ['anthropic', 'claude-opus-5', { geo: 'global' }, 1],
    ['anthropic', 'claude-haiku-4-5', { geo: 'not_available' }, 1],
    ['anthropic', 'claude-haiku-4-5', { geo: 'us' }, null],
    ['anthropic', 'claude-opus-5', { geo: 'eu' }, null],
    ['openai', 'gpt-5', { serviceTier: 'default' }, 1],
    ['openai', 'gpt-5', { serviceTier: 'auto' }, 1],
    ['openai', 'gpt-5', { serviceTier: 'flex' }, 0.5],
    ['openai', 'gpt-5', { serviceTier: 'batch', batch: true }, 0.5],
    ['openai', 'gpt-5', { serviceTier: 'priority' }, 2],
    ['openai', 'gpt-6-sol', { serviceTier: 'fast' }, 2],
    ['openai', 'gpt-5.5', { serviceTier: 'priority' }, 2.5],
    ['openai', 'gpt-4.1', { serviceTier: 'priority' }, 1.75],
    ['openai', 'gpt-4o', { serviceTier: 'priority' }, 1.7],
    ['openai', 'gpt-5-mini', { serviceTier: 'priority' }, 1.8],
    ['openai', 'gpt-5.1-codex', { serviceTier: 'priority' }, 2],
    ['openai', 'gpt-5-nano', { serviceTier: 'priority' }, null],
    ['openai', 'gpt-5', { serviceTier: 'scale' }, null],
    ['openai', 'gpt-5', { serviceTier: 'constructor' }, null],
    ['openai', 'gpt-5', { speed: 'fast' }, null],
    ['openai', 'gpt-5', { geo: 'us' }, null],
    ['google', 'gemini-3.8-flash', { serviceTier: 'flex' }, 0.5],
    ['google', 'gemini-3.8-flash', { serviceTier: 'priority' }, 1.8],
    ['google', 'gemini-3.8-flash', { serviceTier: 'on_demand' }, 1],
    ['google', 'gemini-2.5-pro', { serviceTier: 'priority' }, null],
    ['google', 'gemini-2.5-pro', { serviceTier: 'provisioned_throughput' }, null],
    ['deepseek', 'deepseek-v4-pro', { serviceTier: 'flex' }, null],
  ] as const)('%s %s %o × %s', (provider, model, terms, expected) => {
    const factor = factorOf(provider, model, terms);
    if (expected === null) expect(factor).toBeNull();
    else expect(factor).toBeCloseTo(expected, 12);
  });

  it('has a priority price for a card without a rate for cache reads', () => {
    const tokens = { inputUncached: 1000, cacheRead: 0, outputVisible: 100 };
    const ask = { provider: 'openai', model: 'gpt-4o-2024-05-13', tokens } as const;
    expect(cost(ask)).toBe(6_500_000n);
    expect(cost({ ...ask, terms: { serviceTier: 'priority' } })).toBe(11_375_000n);
  });

  it('has no priority price in the long context', () => {
    const long = { inputUncached: 300_000 };
    const terms = { serviceTier: 'priority' };
    expect(cost({ provider: 'openai', model: 'gpt-6-sol', tokens: long, terms })).toBeNull();
    expect(
      cost({ provider: 'openai', model: 'gpt-6-sol', tokens: long, terms: { serviceTier: 'flex' } }),
    ).toBe(600_000_000n);
  });

  it('does not scale what is charged per use', () => {
    const units = { webSearchRequests: 2 };
    const terms = { batch: true };
    expect(cost({ model: 'claude-sonnet-4-6', tokens: { inputUncached: 1000 }, units, terms })).toBe(
      1_500_000n + 20_000_000n,
    );
  });
});
