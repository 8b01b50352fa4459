import { type UnitCounts, unknownTokens } from '@tallygate/contract/usage';
import { priceOverride, pricesBy } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';

const book = compilePriceBook(loadSnapshot(), []);
const { price, cost } = pricesBy(book);

describe('golden vectors in buckets (TW-10)', () => {
  it('OpenAI cached and reasoning, gpt-5: 0.023500', () => {
    expect(
      cost({
        provider: 'openai',
        model: 'gpt-5',
        tokens: { inputUncached: 2000, cacheRead: 8000, outputVisible: 500, outputReasoning: 1500 },
      }),
    ).toBe(23_500_000n);
  });

  it('OpenAI cache write, gpt-6-sol: 0.018900', () => {
    expect(
      cost({
        provider: 'openai',
        model: 'gpt-6-sol',
        tokens: { inputUncached: 5000, cacheRead: 2000, cacheWriteOther: 3000, outputVisible: 100 },
      }),
    ).toBe(18_900_000n);
  });

  it('OpenAI tier, gpt-6-sol: 272,000 → 0.544, 272,001 → 1.088004', () => {
    const at = (inputUncached: number) =>
      cost({ provider: 'openai', model: 'gpt-6-sol', tokens: { inputUncached } });
    expect(at(272_000)).toBe(544_000_000n);
    expect(at(272_001)).toBe(1_088_004_000n);
  });

  it('Gemini 2.5 flash: 0.001207', () => {
    expect(
      cost({
        provider: 'google',
        model: 'gemini-2.5-flash',
        tokens: {
          inputUncached: 600,
          cacheRead: 400,
          inputTool: 50,
          outputVisible: 100,
          outputReasoning: 300,
        },
      }),
    ).toBe(1_207_000n);
  });

  it('Time of day, deepseek-v4-pro, 1M in: 1.32 at 02h, 0.66 at 05h on 2026-09-01; 0.435 at any hour of 2026-08-01', () => {
    const at = (time: string) =>
      cost({
        provider: 'deepseek',
        model: 'deepseek-v4-pro',
        tokens: { inputUncached: 1_000_000 },
        at: time,
      });
    expect(at('2026-09-01T02:00:00Z')).toBe(1_320_000_000n);
    expect(at('2026-09-01T05:00:00Z')).toBe(660_000_000n);
    for (let hour = 0; hour < 24; hour += 1) {
      expect(at(`2026-08-01T${String(hour).padStart(2, '0')}:30:00Z`)).toBe(435_000_000n);
    }
  });
});

describe('context tiers', () => {
  it.each(['gpt-5.4', 'gpt-5.5', 'gpt-5.6-sol', 'gpt-6-astra', 'gpt-6-luna'])(
    '%s: exactly 272,000 is still the normal rate, one more makes the whole request dear',
    (model) => {
      const low = cost({ provider: 'openai', model, tokens: { inputUncached: 272_000 } })!;
      const high = cost({ provider: 'openai', model, tokens: { inputUncached: 272_001 } })!;
      expect((high * 272_000n) / 272_001n).toBe(low * 2n);
    },
  );

  it('xAI says "≥ 200k", so its border is inclusive', () => {
    const at = (inputUncached: number) =>
      cost({ provider: 'x-ai', model: 'grok-4.5', tokens: { inputUncached } });
    expect(at(199_999)).toBe(399_998_000n);
    expect(at(200_000)).toBe(800_000_000n);
  });

  it('counts all input, cached, written, audio, images and tool prompts, towards the border; output does not count', () => {
    const tokens = { inputUncached: 199_999, outputVisible: 1_000_000 };
    const base = cost({ model: 'claude-sonnet-4-5', tokens })!;
    expect(base).toBe((199_999n * 3_000_000n + 1_000_000n * 15_000_000n) / 1000n);
    const twice = (199_999n * 6_000_000n + 1_000_000n * 22_500_000n) / 1000n;
    const over = { cacheRead: 2 } as const;
    expect(cost({ model: 'claude-sonnet-4-5', tokens: { ...tokens, ...over } })).toBe(
      twice + (2n * 600_000n) / 1000n,
    );
  });

  it('chooses the tier for each call of an answer that lists its calls', () => {
    const call = { ...unknownTokens(), inputUncached: 150_000 };
    const tokens = { inputUncached: 300_000 };
    expect(cost({ model: 'claude-sonnet-4-5', tokens, calls: [call, call] })).toBe(900_000_000n);
    expect(cost({ model: 'claude-sonnet-4-5', tokens })).toBe(1_800_000_000n);
  });
});

describe('dates and hours', () => {
  it('changes exactly at UTC midnight', () => {
    const at = (time: string) =>
      cost({ model: 'claude-opus-4-6', tokens: { inputUncached: 300_000 }, at: time });
    expect(at('2026-03-12T23:59:59.999Z')).toBe(3_000_000_000n);
    expect(at('2026-03-13T00:00:00.000Z')).toBe(1_500_000_000n);
  });

  it('begins peak hours inclusive and ends them exclusive', () => {
    const at = (time: string) =>
      cost({
        provider: 'deepseek',
        model: 'deepseek-v4-pro',
        tokens: { inputUncached: 1_000_000 },
        at: time,
      });
    expect(at('2026-09-01T00:59:59.999Z')).toBe(660_000_000n);
    expect(at('2026-09-01T01:00:00.000Z')).toBe(1_320_000_000n);
    expect(at('2026-09-01T03:59:59.999Z')).toBe(1_320_000_000n);
    expect(at('2026-09-01T04:00:00.000Z')).toBe(660_000_000n);
    expect(at('2026-08-16T23:59:59.999Z')).toBe(435_000_000n);
    expect(at('2026-08-17T00:00:00.000Z')).toBe(660_000_000n);
  });

  it('replaces the stale deepseek-chat price, and has none after the name moved to V4', () => {
    const at = (time: string) =>
      cost({ provider: 'deepseek', model: 'deepseek-chat', tokens: { inputUncached: 1_000_000 }, at: time });
    expect(at('2025-08-01T12:00:00Z')).toBe(270_000_000n);
    expect(at('2025-08-01T20:00:00Z')).toBe(135_000_000n);
    expect(at('2025-09-10T20:00:00Z')).toBe(560_000_000n);
    expect(at('2025-10-10T20:00:00Z')).toBe(280_000_000n);
    expect(at('2026-05-01T20:00:00Z')).toBeNull();
  });

  it('prices the future by the dated price that is known already', () => {
    const at = (time: string) =>
      cost({ provider: 'google', model: 'gemini-3.8-flash', tokens: { inputUncached: 1_000_000 }, at: time });
    expect(at('2026-12-31T23:59:59Z')).toBe(750_000_000n);
    expect(at('2027-01-01T00:00:00Z')).toBe(1_500_000_000n);
  });
});

describe('what the card has no rate for', () => {
  const one = { inputUncached: 1000, outputVisible: 1000 };
  it.each([
    ['openai', 'o1-pro', { cacheRead: 1 }],
    ['openai', 'gpt-5', { cacheWriteOther: 1 }],
    ['openai', 'gpt-4o-audio-preview', { inputAudio: 1 }],
    ['openai', 'gpt-4o-audio-preview', { outputAudio: 1 }],
    ['google', 'claude-opus-4-6', { cacheWrite1h: 1 }],
    ['google', 'gemini-2.5-flash', { outputImage: 1 }],
    ['groq', 'qwen/qwen3-32b', { inputImage: 1 }],
    ['openai', 'text-embedding-3-small', {}],
  ] as const)('%s %s with %o makes the whole row unpriced', (provider, model, more) => {
    expect(price({ provider, model, tokens: { ...one, ...more } }).priceStatus).toBe('unpriced');
  });

  it('does not care about a rate for nothing', () => {
    expect(cost({ provider: 'openai', model: 'o1-pro', tokens: { ...one, cacheRead: 0 } })).toBe(
      750_000_000n,
    );
    expect(
      cost({
        provider: 'openai',
        model: 'text-embedding-3-small',
        tokens: { inputUncached: 8, outputVisible: 0 },
      }),
    ).toBe(160n);
  });

  it('follows the documented fallbacks', () => {
    const m = 1_000_000;
    expect(cost({ provider: 'openai', model: 'gpt-5', tokens: { outputReasoning: m } })).toBe(
      10_000_000_000n,
    );
    expect(cost({ provider: 'openai', model: 'gpt-4o', tokens: { inputImage: m } })).toBe(2_500_000_000n);
    expect(cost({ provider: 'google', model: 'gemini-3.8-flash', tokens: { inputAudio: m } })).toBe(
      750_000_000n,
    );
    expect(cost({ provider: 'google', model: 'gemini-2.5-flash', tokens: { inputAudio: m } })).toBe(
      1_000_000_000n,
    );
    expect(cost({ provider: 'google', model: 'gemini-2.5-flash', tokens: { cacheReadAudio: m } })).toBe(
      100_000_000n,
    );
    expect(cost({ provider: 'openai', model: 'gpt-audio', tokens: { inputAudio: m, outputAudio: m } })).toBe(
      96_000_000_000n,
    );
  });

  it('charges searches, not fetches, and nothing for code it cannot price', () => {
    const tokens = { inputUncached: 0 };
    const at = (units: Partial<UnitCounts>, model = 'claude-opus-5') => cost({ model, tokens, units });
    expect(at({ webSearchRequests: 3 })).toBe(30_000_000n);
    expect(at({ webSearchRequests: 3 }, 'claude-3-opus-20240229')).toBe(30_000_000n);
    expect(at({ webFetchRequests: 3 })).toBe(0n);
    expect(at({ codeExecutionRequests: 3 })).toBe(0n);
    expect(
      cost({ provider: 'openai', model: 'gpt-5.3', tokens, units: { webSearchRequests: 1 } }),
    ).toBeNull();
    expect(cost({ provider: 'openai', model: 'gpt-5', tokens, units: { webSearchRequests: 1 } })).toBe(
      10_000_000n,
    );
  });

  it('adds a charge per request where the card has one', () => {
    const priced = price({ provider: 'perplexity', model: 'sonar', tokens: one });
    expect(priced.lines.at(-1)).toMatchObject({
      unit: 'request',
      quantity: 1,
      amountPicoUsd: 12_000_000_000n,
    });
  });
});

describe('statuses', () => {
  it('says no_usage when nothing billable is known', () => {
    expect(price({ model: 'claude-opus-5' })).toMatchObject({ costNanoUsd: null, priceStatus: 'no_usage' });
    expect(price({ model: 'unknown' })).toMatchObject({ costNanoUsd: null, priceStatus: 'no_usage' });
  });

  it('prices explicit zeros as zero', () => {
    expect(price({ model: 'claude-opus-5', tokens: { inputUncached: 0, outputVisible: 0 } })).toMatchObject({
      costNanoUsd: 0n,
      priceStatus: 'priced',
    });
  });

  it('says free where the provider says so', () => {
    expect(
      price({ provider: 'google', model: 'gemma-4-31b-it', tokens: { inputUncached: 5 } }),
    ).toMatchObject({
      costNanoUsd: 0n,
      priceStatus: 'free',
    });
  });

  it('adds up in lines that explain the sum', () => {
    const priced = price({
      model: 'claude-sonnet-4-5',
      tokens: {
        inputUncached: 100,
        cacheWrite5m: 2000,
        cacheWrite1h: 3000,
        cacheRead: 20_000,
        outputVisible: 500,
      },
      units: { webSearchRequests: 2 },
    });
    expect(priced.priceCard).toBe(`anthropic/claude-sonnet-4-5@${book.version}`);
    expect(priced.lines.map((line) => line.unit)).toEqual([
      'inputUncached',
      'cacheRead',
      'cacheWrite5m',
      'cacheWrite1h',
      'outputVisible',
      'webSearchRequests',
    ]);
    for (const line of priced.lines)
      expect(line.amountPicoUsd).toBe(BigInt(line.quantity) * line.ratePicoUsd);
    expect(priced.lines.reduce((sum, line) => sum + line.amountPicoUsd, 0n)).toBe(59_300_000_000n);
  });
});

describe('rounding', () => {
  const { cost: own } = pricesBy(
    compilePriceBook(loadSnapshot(), [
      priceOverride({
        provider: 'p',
        model: 'm',
        ratesPicoUsd: { inputUncached: '1', outputVisible: '10000000000000' },
      }),
    ]),
  );
  it.each([
    [0, 0n],
    [499, 0n],
    [500, 0n],
    [501, 1n],
    [1499, 1n],
    [1500, 2n],
    [1501, 2n],
    [2500, 2n],
    [2501, 3n],
    [3500, 4n],
  ])('%i pico-dollars are %s nano-dollars, half to even', (pico, nano) => {
    expect(own({ provider: 'p', model: 'm', tokens: { inputUncached: pico } })).toBe(nano);
  });

  it('is exact far beyond what a number holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e12 }), (input, output) => {
        const pico = BigInt(input) + BigInt(output) * 10_000_000_000_000n;
        const [quotient, rest] = [pico / 1000n, pico % 1000n];
        const expected = rest > 500n || (rest === 500n && quotient % 2n === 1n) ? quotient + 1n : quotient;
        expect(
          own({ provider: 'p', model: 'm', tokens: { inputUncached: input, outputVisible: output } }),
        ).toBe(expected);
      }),
    );
  });
});
