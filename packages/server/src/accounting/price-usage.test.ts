import { type TokenCounts, type UnitCounts, unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import type { PriceOverride } from './price-override.ts';
import { loadSnapshot } from './price-snapshot.ts';
import { priceUsage } from './price-usage.ts';
import type { ModelUsage, ServedTerms } from './usage.ts';

const snapshot = loadSnapshot();
const book = compilePriceBook(snapshot, []);
const NOW = '2026-11-01T12:00:00Z';

interface Case {
  provider?: string;
  model: string;
  tokens?: Partial<TokenCounts>;
  units?: Partial<UnitCounts>;
  at?: string;
  terms?: Partial<ServedTerms>;
  calls?: TokenCounts[];
}

function usageOf({ model, tokens, units, terms, calls }: Case): ModelUsage {
  return {
    model,
    tokens: { ...unknownTokens(), ...tokens },
    units: { ...unknownUnits(), ...units },
    serviceTier: null,
    speed: null,
    geo: null,
    batch: false,
    ...terms,
    ...(calls ? { calls } : {}),
  };
}

function price(input: Case, prices = book) {
  return priceUsage(prices, {
    provider: input.provider ?? 'anthropic',
    usage: usageOf(input),
    fallbackModel: null,
    atMs: Date.parse(input.at ?? NOW),
  });
}
const cost = (input: Case, prices = book) => price(input, prices).costNanoUsd;

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
    const usage = usageOf({ model: 'x', tokens: one });
    const ask = (model: string | null, fallbackModel: string | null) =>
      priceUsage(book, {
        provider: 'openai',
        usage: { ...usage, model },
        fallbackModel,
        atMs: Date.parse(NOW),
      });
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

describe('overrides', () => {
  const override = (changes: Partial<PriceOverride>): PriceOverride => ({
    id: 'ovr_1',
    provider: 'anthropic',
    model: 'claude-sonnet-4-6',
    validFromMs: null,
    validToMs: null,
    ratesPicoUsd: { inputUncached: '1000000', outputVisible: '2000000' },
    createdAtMs: 1,
    ...changes,
  });
  const withOverrides = (...rows: PriceOverride[]) => compilePriceBook(snapshot, rows);
  const tokens = { inputUncached: 1_000_000 };

  it('wins over the list price, also for dated ids, and names itself', () => {
    const own = withOverrides(override({}));
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
      override({ validFromMs: Date.parse('2026-06-01'), validToMs: Date.parse('2026-07-01') }),
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
      override({ id: 'old', ratesPicoUsd: { inputUncached: '5' }, createdAtMs: 1 }),
      override({ id: 'new', ratesPicoUsd: { inputUncached: '7' }, createdAtMs: 9 }),
      override({
        id: 'later',
        ratesPicoUsd: { inputUncached: '9' },
        createdAtMs: 99,
        validFromMs: Date.parse('2030-01-01'),
      }),
    );
    expect(cost({ model: 'claude-sonnet-4-6', tokens }, own)).toBe(7000n);
  });

  it('gives a price to a provider that has none', () => {
    const own = withOverrides(override({ provider: 'ollama', model: 'llama3.1' }));
    expect(cost({ provider: 'ollama', model: 'llama3.1', tokens }, own)).toBe(1_000_000_000n);
    expect(cost({ provider: 'ollama', model: 'llama3.2', tokens }, own)).toBeNull();
  });

  it('is free when every rate is zero, whatever the bucket', () => {
    const own = withOverrides(
      override({ provider: 'ollama', model: 'm', ratesPicoUsd: { inputUncached: '0' } }),
    );
    expect(
      price({ provider: 'ollama', model: 'm', tokens: { cacheRead: 5, outputVisible: 9 } }, own),
    ).toMatchObject({
      costNanoUsd: 0n,
      priceStatus: 'free',
    });
  });

  it('replaces the whole card: a bucket it leaves out has no price', () => {
    const own = withOverrides(override({}));
    expect(cost({ model: 'claude-sonnet-4-6', tokens: { ...tokens, cacheRead: 1 } }, own)).toBeNull();
    expect(cost({ model: 'claude-sonnet-4-6', tokens: { outputReasoning: 1_000_000 } }, own)).toBe(
      2_000_000_000n,
    );
  });

  it('is subject to the terms of service like the list price', () => {
    const own = withOverrides(override({ model: 'claude-opus-5' }));
    const terms = { speed: 'fast' };
    expect(cost({ model: 'claude-opus-5', tokens, terms }, own)).toBe(2_000_000_000n);
    expect(cost({ model: 'claude-opus-5', tokens, terms: { serviceTier: 'priority' } }, own)).toBeNull();
  });

  it('of a family does not touch a version that is listed at its own price', () => {
    const own = withOverrides(override({ provider: 'openai', model: 'gpt-4o' }));
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
    expect(() => withOverrides(override({ ratesPicoUsd: ratesPicoUsd as Record<string, string> }))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});

describe('rounding', () => {
  const own = compilePriceBook(snapshot, [
    {
      id: 'o',
      provider: 'p',
      model: 'm',
      validFromMs: null,
      validToMs: null,
      ratesPicoUsd: { inputUncached: '1', outputVisible: '10000000000000' },
      createdAtMs: 0,
    },
  ]);
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
    expect(cost({ provider: 'p', model: 'm', tokens: { inputUncached: pico } }, own)).toBe(nano);
  });

  it('is exact far beyond what a number holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e12 }), (input, output) => {
        const pico = BigInt(input) + BigInt(output) * 10_000_000_000_000n;
        const [quotient, rest] = [pico / 1000n, pico % 1000n];
        const expected = rest > 500n || (rest === 500n && quotient % 2n === 1n) ? quotient + 1n : quotient;
        expect(
          cost({ provider: 'p', model: 'm', tokens: { inputUncached: input, outputVisible: output } }, own),
        ).toBe(expected);
      }),
    );
  });
});
