import { pricesBy } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';

const book = compilePriceBook(loadSnapshot(), []);
const { price, cost } = pricesBy(book);

describe('model ids', () => {
  const one = { inputUncached: 1_000_000 };
  it.each([
    ['anthropic', 'claude-sonnet-4-5-20250929', 3_000_000_000n],
    ['anthropic', 'claude-sonnet-4-5@20250929', 3_000_000_000n],
    ['anthropic', 'Claude-Sonnet-4-6', 3_000_000_000n],
    ['anthropic', 'claude-sonnet-4-20250514', 3_000_000_000n],
    ['anthropic', 'claude-3-5-haiku-latest', 800_000_000n],
    ['openai', 'gpt-5-2025-08-07', 1_250_000_000n],
    ['openai', 'gpt-4o-2024-05-13', 5_000_000_000n],
    ['openai', 'gpt-4o-2024-11-20', 2_500_000_000n],
    ['openai', 'gpt-6-sol-2026-09-09', 4_000_000_000n],
    ['openrouter', 'openai/gpt-6-sol', 4_000_000_000n],
    ['groq', 'openai/gpt-oss-120b', 150_000_000n],
  ])('%s %s is listed', (provider, model, expected) => {
    expect(cost({ provider, model, tokens: one, at: '2026-11-01T12:00:00Z' })).toBe(
      // Claude Sonnet 4.5 has the long-context price for a million tokens.
      model.includes('sonnet-4-5') ? expected * 2n : expected,
    );
  });

  it.each([
    ['anthropic', 'claude-sonnet-5-5'],
    ['anthropic', 'claude-opus-9'],
    ['anthropic', 'claude-opus-5-6'],
    ['anthropic', 'claude-sonnet-4-5-latest'],
    ['anthropic', 'claude-sonnet-4-5-2025092'],
    ['anthropic', 'claude-sonnet-4-5-20251399'],
    ['anthropic', 'claude-sonnet-4-5-20250929-fast'],
    ['anthropic', 'claude-sonnet-4-5x'],
    ['anthropic', 'anthropic/claude-sonnet-4-5'],
    ['anthropic', 'claude'],
    ['anthropic', '-20250929'],
    ['anthropic', ''],
    ['openai', 'gpt-7'],
    ['openai', 'gpt-6-sol-mini'],
    ['openai', 'gpt-5.4-mini-high'],
    ['openai', 'gpt-6-terra'],
    ['openai', 'gpt-4o-mini-search-preview'],
    ['openai', 'moderation'],
    ['openai', '__proto__'],
    ['openai', 'constructor'],
    ['google', 'gemini-2.5-flash-lite-preview-tts-x'],
    ['ollama', 'llama3.1'],
    ['nobody', 'gpt-5'],
    ['__proto__', 'gpt-5'],
  ])('%s %s is not: null and unpriced, never zero (X-03)', (provider, model) => {
    expect(price({ provider, model, tokens: one })).toEqual({
      costNanoUsd: null,
      priceStatus: 'unpriced',
      priceCard: null,
      lines: [],
    });
  });

  it('takes the fallback model only when the answer names none', () => {
    const ask = (model: string | null, fallbackModel: string | null) =>
      price({ provider: 'openai', model, tokens: one, fallbackModel });
    expect(ask(null, 'gpt-5').costNanoUsd).toBe(1_250_000_000n);
    expect(ask('gpt-7', 'gpt-5').priceStatus).toBe('unpriced');
    expect(ask(null, null).priceStatus).toBe('unpriced');
  });

  it('stays bounded and right under thousands of invented ids', () => {
    for (let index = 0; index < 10_000; index += 1) {
      expect(cost({ provider: 'openai', model: `gpt-5-x${index}`, tokens: one })).toBeNull();
    }
    expect(cost({ provider: 'openai', model: 'x'.repeat(1_000_000), tokens: one })).toBeNull();
    expect(cost({ provider: 'openai', model: 'gpt-5', tokens: one })).toBe(1_250_000_000n);
  });
});
