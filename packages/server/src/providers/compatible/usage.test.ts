import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { findNormaliser, quoteAnswer } from '../../accounting/quote.ts';
import { COMPATIBLE_PRESETS } from './presets.ts';
import { compatibleNormalisers } from './usage.ts';

const book = compilePriceBook(loadSnapshot(), []);
const quote = (provider: string, model: string, answer: unknown, at = '2026-11-01T12:00:00Z') =>
  quoteAnswer(book, compatibleNormalisers, { provider, model, atMs: Date.parse(at), answer });
const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'));

describe('golden vectors (TW-10, X-03)', () => {
  it('xAI: completion 10 and reasoning 50 are 60 of output', () => {
    const { lines, costNanoUsd } = quote('xai', 'grok-4.5', fixture('xai.json'));
    const out = lines.filter((line) => line.unit.startsWith('output'));
    expect(out.reduce((sum, line) => sum + line.quantity, 0)).toBe(60);
    expect(costNanoUsd).toBe((26n * 2_000_000n + 6n * 300_000n + 60n * 6_000_000n) / 1000n);
  });

  it('Time of day, deepseek-v4-pro, 1M in: 1.32, 0.66, and 0.435 before 2026-08-17', () => {
    const usage = { prompt_tokens: 1_000_000 };
    const at = (time: string) => quote('deepseek', 'deepseek-v4-pro', { usage }, time).costNanoUsd;
    expect(at('2026-09-01T02:00:00Z')).toBe(1_320_000_000n);
    expect(at('2026-09-01T05:00:00Z')).toBe(660_000_000n);
    expect(at('2026-08-01T02:00:00Z')).toBe(435_000_000n);
  });

  it('Unknown: an Ollama model has no price', () => {
    expect(quote('ollama', 'llama3.1', fixture('ollama.json'))).toMatchObject({
      costNanoUsd: null,
      priceStatus: 'unpriced',
    });
  });
});

describe('providers', () => {
  it('DeepSeek: cache hits at the cached price', () => {
    expect(
      quote('deepseek', 'deepseek-v4-pro', fixture('deepseek.json'), '2026-11-01T12:00:00Z').costNanoUsd,
    ).toBe((176n * 660_000n + 1024n * 22_000n + 300n * 1_980_000n) / 1000n);
  });

  it('finds a provider by each of its names', () => {
    for (const name of ['xai', 'x-ai', 'grok', 'XAI']) {
      expect(findNormaliser(compatibleNormalisers, name).priceProvider).toBe('x-ai');
    }
    const names = compatibleNormalisers.flatMap((normaliser) => normaliser.providerIds);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has a name for every preset, with the same prices', () => {
    for (const preset of COMPATIBLE_PRESETS) {
      const { priceProvider } = findNormaliser(compatibleNormalisers, preset.id);
      if (preset.priceProvider === null) expect(book.hasProvider(priceProvider)).toBe(false);
      else expect(priceProvider).toBe(preset.priceProvider);
    }
  });
});
