import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { priceUsage } from '../../accounting/price-usage.ts';
import { RequestBound } from '../../accounting/request-bound.ts';
import type { RequestShape } from '../../accounting/request-shape.ts';
import { totalOutputTokens } from '../../accounting/weighted-tokens.ts';
import { geminiShape } from '../../providers/gemini/request-shape.ts';
import { messagesShape } from '../../providers/shared/messages-shape.ts';
import { cutUsage } from './conservative.ts';

const book = compilePriceBook(loadSnapshot(), []);
const atMs = Date.UTC(2026, 10, 1);
const OUTPUT_TOKENS = 1_000;
const CASES: { provider: string; model: string; shape: RequestShape }[] = [
  {
    provider: 'google',
    model: 'gemini-2.5-flash-image',
    shape: geminiShape({ contents: [], generationConfig: { maxOutputTokens: OUTPUT_TOKENS } }, 100),
  },
  { provider: 'google', model: 'gemini-2.5-pro', shape: geminiShape({ contents: [] }, 100) },
  {
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    shape: messagesShape({ messages: [], max_tokens: OUTPUT_TOKENS }, 100),
  },
];

describe.each(CASES)('an answer of $model that was cut (X-02)', ({ provider, model, shape }) => {
  const bound = new RequestBound(book, { provider, model, atMs }, shape);

  it.each([{}, { outputVisible: 40 }, { outputVisible: 40, outputReasoning: 300 }])(
    'comes to all the output it was allowed and to no more, after it told of %j',
    (told) => {
      const tokens = { ...unknownTokens(), inputUncached: 10, ...told };
      const terms = { serviceTier: null, speed: null, geo: null, batch: false };
      const rest = { complete: false, subCalls: [], providerCostUsd: null, raw: null };
      const seen = { model, tokens, units: unknownUnits(), ...terms, ...rest };
      const usage = cutUsage(seen, { bound, outputTokens: OUTPUT_TOKENS });
      expect(totalOutputTokens(usage.tokens)).toBe(OUTPUT_TOKENS);
      const { costNanoUsd } = priceUsage(book, { provider, usage, fallbackModel: model, atMs });
      expect(Number(costNanoUsd)).toBeLessThanOrEqual(bound.costNanoUsd(OUTPUT_TOKENS) ?? 0);
      // Nothing dearer could have come of what it had not told.
      const left = OUTPUT_TOKENS - totalOutputTokens(tokens);
      const dearest = bound.costNanoUsd(left) ?? 0;
      const before =
        priceUsage(book, { provider, usage: seen, fallbackModel: model, atMs }).costNanoUsd ?? 0n;
      const input = bound.costNanoUsd(0) ?? 0;
      expect(Number(costNanoUsd) - Number(before)).toBeGreaterThanOrEqual(dearest - input - 1);
    },
  );
});
