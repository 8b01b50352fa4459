import { readFileSync } from 'node:fs';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { quoteAnswer } from '../../accounting/quote.ts';
import { totalTokens } from '../../accounting/weighted-tokens.ts';
import { geminiNormaliser, normaliseGeminiUsage } from './usage.ts';

const answer: unknown = JSON.parse(
  readFileSync(new URL('./fixtures/generate-content.json', import.meta.url), 'utf8'),
);
const read = (usage: unknown) => normaliseGeminiUsage(usage, 'gemini-2.5-flash', true);

describe('Gemini usage', () => {
  it('golden vector, 2.5 flash: 0.001207 (TW-10)', () => {
    const book = compilePriceBook(loadSnapshot(), []);
    for (const provider of ['gemini', 'google']) {
      expect(
        quoteAnswer(book, [geminiNormaliser], {
          provider,
          model: 'gemini-2.5-flash',
          atMs: Date.parse('2026-11-01'),
          answer,
        }).costNanoUsd,
      ).toBe(1_207_000n);
    }
  });

  it('keeps thoughts outside the candidates and the tool prompt outside the prompt', () => {
    const usage = geminiNormaliser.fromAnswer(answer);
    expect(usage).toMatchObject({ model: 'gemini-2.5-flash', serviceTier: 'standard' });
    expect(usage?.tokens).toMatchObject({
      inputUncached: 600,
      cacheRead: 400,
      inputTool: 50,
      outputVisible: 100,
      outputReasoning: 300,
    });
    expect(totalTokens(usage!.tokens)).toBe(1450);
  });

  it('splits audio and images, cached and not', () => {
    const usage = read({
      promptTokenCount: 1000,
      cachedContentTokenCount: 400,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 500 },
        { modality: 'AUDIO', tokenCount: 300 },
        { modality: 'IMAGE', tokenCount: 200 },
      ],
      cacheTokensDetails: [
        { modality: 'TEXT', tokenCount: 150 },
        { modality: 'AUDIO', tokenCount: 200 },
        { modality: 'IMAGE', tokenCount: 50 },
      ],
      candidatesTokenCount: 90,
      candidatesTokensDetails: [
        { modality: 'AUDIO', tokenCount: 30 },
        { modality: 'IMAGE', tokenCount: 20 },
      ],
    });
    expect(usage?.tokens).toMatchObject({
      inputUncached: 350,
      inputAudio: 100,
      inputImage: 150,
      cacheRead: 200,
      cacheReadAudio: 200,
      outputVisible: 40,
      outputAudio: 30,
      outputImage: 20,
    });
    expect(totalTokens(usage!.tokens)).toBe(1090);
  });

  it('reads tiers of both APIs', () => {
    expect(read({ promptTokenCount: 1, serviceTier: 'FLEX' })?.serviceTier).toBe('flex');
    expect(read({ promptTokenCount: 1, trafficType: 'ON_DEMAND' })?.serviceTier).toBe('on_demand');
    expect(read({ promptTokenCount: 1, trafficType: 'TRAFFIC_TYPE_UNSPECIFIED' })?.serviceTier).toBeNull();
  });

  it('reads the OpenAI-shaped answers of the same provider', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 10, total_tokens: 65 };
    expect(geminiNormaliser.fromAnswer({ usage })?.tokens).toMatchObject({
      outputVisible: 10,
      outputReasoning: 50,
    });
  });

  it.each<[string, unknown]>([
    ['negative', { promptTokenCount: -1 }],
    ['text', { promptTokenCount: '5' }],
    ['more cached than prompt', { promptTokenCount: 5, cachedContentTokenCount: 6 }],
    ['cached without prompt', { cachedContentTokenCount: 6 }],
    [
      'more audio than prompt',
      { promptTokenCount: 5, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 6 }] },
    ],
    [
      'more cached audio than cached',
      {
        promptTokenCount: 9,
        cachedContentTokenCount: 2,
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 3 }],
      },
    ],
    [
      'more image than candidates',
      { candidatesTokenCount: 5, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 6 }] },
    ],
    ['odd details', { promptTokenCount: 5, promptTokensDetails: 'x' }],
    ['odd detail', { promptTokenCount: 5, promptTokensDetails: [7] }],
    ['endless details', { promptTokenCount: 5, promptTokensDetails: new Array(33).fill({}) }],
    ['no object', 5],
  ])('quarantines %s', (_name, raw) => {
    const usage = read(raw)!;
    expect(usage.raw).toBe(raw);
    expect(usage.complete).toBe(false);
    expect(totalTokens(usage.tokens)).toBeNull();
  });

  it('never throws, never goes negative, loses no token of what it believes', () => {
    const count = fc.oneof(
      { weight: 6, arbitrary: fc.nat(500) },
      fc.constantFrom(undefined, null, -1, 'x', 0.5),
    );
    const details = fc.oneof(
      fc.array(
        fc.record({ modality: fc.constantFrom('TEXT', 'AUDIO', 'IMAGE', 'VIDEO'), tokenCount: count }),
        { maxLength: 4 },
      ),
      fc.anything(),
      fc.constant(undefined),
    );
    const usage = fc.record(
      {
        promptTokenCount: fc.oneof(fc.nat(2000), count),
        cachedContentTokenCount: count,
        candidatesTokenCount: fc.oneof(fc.nat(2000), count),
        thoughtsTokenCount: count,
        toolUsePromptTokenCount: count,
        promptTokensDetails: details,
        cacheTokensDetails: details,
        candidatesTokensDetails: details,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(usage, (raw) => {
        const tokens = read(raw)!.tokens;
        for (const bucket of TOKEN_BUCKETS) expect(tokens[bucket] ?? 0).toBeGreaterThanOrEqual(0);
        const total = totalTokens(tokens);
        if (total === null) return;
        const listed = [
          raw.promptTokenCount,
          raw.candidatesTokenCount,
          raw.thoughtsTokenCount,
          raw.toolUsePromptTokenCount,
        ];
        expect(total).toBe(listed.reduce<number>((sum, value) => sum + (Number(value) || 0), 0));
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.anything(), (raw) => void geminiNormaliser.fromAnswer(raw)));
  });
});
