import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { quoteAnswer } from '../../accounting/quote.ts';
import { openaiNormaliser } from './usage.ts';

const book = compilePriceBook(loadSnapshot(), []);
const quote = (model: string, answer: unknown) =>
  quoteAnswer(book, [openaiNormaliser], {
    provider: 'openai',
    model,
    atMs: Date.parse('2026-11-01'),
    answer,
  });
const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'));

describe('golden vectors (TW-10, X-03)', () => {
  it('OpenAI cached and reasoning, gpt-5: 0.023500', () => {
    expect(quote('gpt-5', fixture('chat.json')).costNanoUsd).toBe(23_500_000n);
  });

  it('OpenAI cache write, gpt-6-sol: 0.018900', () => {
    const usage = {
      input_tokens: 10_000,
      input_tokens_details: { cached_tokens: 2000, cache_write_tokens: 3000 },
      output_tokens: 100,
    };
    expect(quote('gpt-6-sol', { usage }).costNanoUsd).toBe(18_900_000n);
    const chat = {
      prompt_tokens: 10_000,
      prompt_tokens_details: { cached_tokens: 2000, cache_write_tokens: 3000 },
      completion_tokens: 100,
    };
    expect(quote('gpt-6-sol', { usage: chat }).costNanoUsd).toBe(18_900_000n);
  });

  it('OpenAI tier, gpt-6-sol: 272,000 → 0.544, 272,001 → 1.088004', () => {
    expect(quote('gpt-6-sol', { usage: { prompt_tokens: 272_000 } }).costNanoUsd).toBe(544_000_000n);
    expect(quote('gpt-6-sol', { usage: { prompt_tokens: 272_001 } }).costNanoUsd).toBe(1_088_004_000n);
  });

  it('Unknown: gpt-7 has no price', () => {
    expect(quote('gpt-7', fixture('chat.json'))).toMatchObject({
      costNanoUsd: null,
      priceStatus: 'unpriced',
    });
  });
});

describe('whole answers', () => {
  it('charges the searches of a response beside its tokens', () => {
    const { costNanoUsd, lines } = quote('gpt-6-sol', fixture('responses.json'));
    expect(costNanoUsd).toBe(18_900_000n + 10_000_000n);
    expect(lines.map((line) => line.unit)).toContain('webSearchRequests');
  });

  it('prices by the tier the answer reports', () => {
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 0 };
    expect(quote('gpt-5', { usage, service_tier: 'flex' }).costNanoUsd).toBe(625_000_000n);
    expect(quote('gpt-5', { usage, service_tier: 'priority' }).costNanoUsd).toBe(2_500_000_000n);
    expect(quote('gpt-5', { usage, service_tier: 'scale' }).costNanoUsd).toBeNull();
  });

  it('prices embeddings', () => {
    expect(quote('text-embedding-3-small', fixture('embeddings.json')).costNanoUsd).toBe(160n);
    expect(
      quote('text-embedding-3-small', { usage: { prompt_tokens: 8, total_tokens: 8 } }).costNanoUsd,
    ).toBe(160n);
  });
});
