import { only, pricesBy } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { correctedModel, OWN_LAYER_REVISION } from './own-layer.ts';
import { OWN_TERMS } from './own-terms.ts';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot, type SnapshotModel } from './price-snapshot.ts';
import { termsFactor } from './service-terms.ts';

const book = compilePriceBook(loadSnapshot(), []);
const { price, cost } = pricesBy(book);
const model = (id: string, ...periods: SnapshotModel['periods']): SnapshotModel => ({
  id,
  also: [],
  periods,
});

describe('what is corrected in the data', () => {
  it.each([
    'gpt-4o-search-preview',
    'gpt-4o-search-preview-2025-03-11',
    'gpt-4o-mini-search-preview',
    'gpt-4o-mini-search-preview-2025-03-11',
  ])('%s has no price: each of its answers holds a search that no answer counts (X-03)', (id) => {
    expect(price({ provider: 'openai', model: id, tokens: only('inputUncached') }).priceStatus).toBe(
      'unpriced',
    );
    expect(correctedModel('openai', model(id))).toBeNull();
    // The name is excluded where it is billed that way, not everywhere.
    expect(correctedModel('openrouter', model(id))?.id).toBe(id);
  });

  it('keeps the card of a model when only some of its names are excluded', () => {
    const kept = correctedModel('openai', {
      id: 'gpt-4o-search-preview',
      also: ['gpt-x', 'gpt-4o-mini-search-preview', 'gpt-y'],
      periods: [{ rates: { input: 1 } }],
    });
    expect(kept).toEqual({ id: 'gpt-x', also: ['gpt-y'], periods: [{ rates: { input: 1 } }] });
  });

  it('moves the border of 271,999 to 272,000 and no other', () => {
    const tiers = [271_998, 271_999, 272_000, 200_000].map((over) => ({ over, rates: { input: 2 } }));
    const corrected = correctedModel('openai', model('m', { rates: { input: 1 }, tiers }));
    expect(corrected?.periods[0]?.tiers?.map((tier) => tier.over)).toEqual([
      271_998, 272_000, 272_000, 200_000,
    ]);
    expect(correctedModel('openai', model('m', { rates: {} }))?.periods[0]).toEqual({ rates: {} });
  });

  it('gives every Anthropic card the price of a search, unless it lists its own', () => {
    const rates = (provider: string, own: object) =>
      correctedModel(provider, model('m', { rates: own }))?.periods[0]?.rates;
    expect(rates('anthropic', { input: 1 })).toEqual({ input: 1, webSearch: 10_000_000_000 });
    expect(rates('anthropic', { webSearch: 7 })).toEqual({ webSearch: 7 });
    expect(rates('openai', { input: 1 })).toEqual({ input: 1 });
    expect(rates('constructor', { input: 1 })).toEqual({ input: 1 });
    for (const { id } of loadSnapshot().providers.anthropic ?? []) {
      const searches = cost({ model: id, tokens: { inputUncached: 0 }, units: { webSearchRequests: 1000 } });
      expect([id, searches]).toEqual([id, 10_000_000_000n]);
    }
  });

  it.each(['deepseek-chat', 'deepseek-reasoner'])('%s follows the changes of 2025 and ends in 2026', (id) => {
    const at = (bucket: 'inputUncached' | 'cacheRead' | 'outputVisible', time: string) =>
      cost({ provider: 'deepseek', model: id, tokens: only(bucket), at: time });
    const row = (time: string) => [
      at('inputUncached', time),
      at('cacheRead', time),
      at('outputVisible', time),
    ];
    const v31 = [560_000_000n, 70_000_000n, 1_680_000_000n];
    const v32 = [280_000_000n, 28_000_000n, 420_000_000n];
    const none = [null, null, null];
    // The discount ends at 16:00, half an hour before the night of the old price would have begun.
    expect(row('2025-09-05T15:59:59.999Z')).not.toEqual(v31);
    expect(row('2025-09-05T15:59:59.999Z')).not.toEqual(none);
    expect(row('2025-09-05T16:00:00.000Z')).toEqual(v31);
    expect(row('2025-09-05T17:00:00.000Z')).toEqual(v31);
    expect(row('2025-09-28T23:59:59.999Z')).toEqual(v31);
    expect(row('2025-09-29T00:00:00.000Z')).toEqual(v32);
    expect(row('2026-04-23T23:59:59.999Z')).toEqual(v32);
    expect(row('2026-04-24T00:00:00.000Z')).toEqual(none);
    expect(row('2026-11-01T00:00:00.000Z')).toEqual(none);
  });

  it.each(['gemma-4-26b-a4b-it', 'gemma-4-31b-it'])('%s is free, by whatever it is measured', (id) => {
    for (const bucket of ['inputUncached', 'outputVisible', 'inputImage'] as const) {
      expect(price({ provider: 'google', model: id, tokens: only(bucket) })).toMatchObject({
        costNanoUsd: 0n,
        priceStatus: 'free',
      });
    }
  });

  it('is part of the version of the book', () => {
    expect(book.version.endsWith(`+${OWN_LAYER_REVISION}`)).toBe(true);
  });

  it('says what is billed as text: images at Google, OpenAI, Azure and xAI, audio at Google; nowhere else', () => {
    const bare = compilePriceBook(
      {
        ...loadSnapshot(),
        providers: Object.fromEntries(
          ['google', 'openai', 'azure', 'x-ai', 'anthropic', 'groq', 'toString'].map((provider) => [
            provider,
            [model('m', { rates: { input: 1_000, cacheRead: 100, output: 5_000 } })],
          ]),
        ),
      },
      [],
    );
    const row = (provider: string) =>
      (['inputImage', 'inputAudio', 'cacheReadAudio', 'outputReasoning', 'outputAudio'] as const).map(
        (bucket) => pricesBy(bare).cost({ provider, model: 'm', tokens: only(bucket, 1000) }),
      );
    expect(row('google')).toEqual([1000n, 1000n, 100n, 5000n, null]);
    for (const provider of ['openai', 'azure', 'x-ai'])
      expect(row(provider)).toEqual([1000n, null, null, 5000n, null]);
    for (const provider of ['anthropic', 'groq', 'toString'])
      expect(row(provider)).toEqual([null, null, null, 5000n, null]);
  });

  it('makes fetches free at Anthropic alone, and code runs nobody’s part of the bill', () => {
    const uses = (provider: string, id: string, unit: string) =>
      cost({ provider, model: id, tokens: { inputUncached: 0 }, units: { [unit]: 3 } });
    expect(uses('anthropic', 'claude-opus-5', 'webFetchRequests')).toBe(0n);
    expect(uses('openai', 'gpt-5', 'webFetchRequests')).toBeNull();
    expect(uses('anthropic', 'claude-opus-5', 'codeExecutionRequests')).toBe(0n);
    expect(uses('openai', 'gpt-5', 'codeExecutionRequests')).toBe(0n);
  });
});

/** Every factor that is published, model by model: what is not here has none. */
const FACTORS: Record<string, Record<string, Record<string, number | Record<string, number>>>> = {
  anthropic: {
    tiers: { batch: 0.5 },
    speeds: { fast: { 'claude-opus-4-6': 6, 'claude-opus-4-8': 2, 'claude-opus-5': 2 } },
    geos: {
      global: 1,
      not_available: 1,
      us: Object.fromEntries(
        [
          'opus-4-6',
          'opus-4-7',
          'opus-4-8',
          'opus-5',
          'opus-5-5',
          'sonnet-4-6',
          'sonnet-5',
          'fable-5',
          'fable-5-1',
        ].map((name) => [`claude-${name}`, 1.1]),
      ),
    },
  },
  openai: { tiers: { batch: 0.5, flex: 0.5 } },
  google: {
    tiers: {
      ...Object.fromEntries(
        ['batch', 'flex'].map((tier) => [
          tier,
          Object.fromEntries(
            ['3.5-flash', '3.5-flash-lite', '3.6-flash', '3.7-flash', '3.8-flash'].map((name) => [
              `gemini-${name}`,
              0.5,
            ]),
          ),
        ]),
      ),
      priority: { 'gemini-3.7-flash': 1.8, 'gemini-3.8-flash': 1.8 },
    },
  },
  groq: { tiers: { flex: 1, batch: 0.5 } },
};
const PRIORITY: Record<string, [num: number, den: number]> = {
  'gpt-4o': [17, 10],
  'gpt-4o-2024-05-13': [7, 4],
  'gpt-4o-mini': [5, 3],
  'gpt-4.1': [7, 4],
  'gpt-4.1-mini': [7, 4],
  'gpt-4.1-nano': [2, 1],
  o3: [7, 4],
  'o4-mini': [20, 11],
  'gpt-5': [2, 1],
  'gpt-5-mini': [9, 5],
  'gpt-5.1': [2, 1],
  'gpt-5.2': [2, 1],
  'gpt-5.3-codex': [2, 1],
  'gpt-5.4': [2, 1],
  'gpt-5.4-mini': [2, 1],
  'gpt-5.5': [5, 2],
  'gpt-5.6-luna': [2, 1],
  'gpt-5.6-sol': [2, 1],
  'gpt-5.6-terra': [2, 1],
  'gpt-6-astra': [2, 1],
  'gpt-6-luna': [2, 1],
  'gpt-6-sol': [2, 1],
};
const NAMES = { tiers: 'serviceTier', speeds: 'speed', geos: 'geo' } as const;
const NONE = { serviceTier: null, speed: null, geo: null, batch: false };

describe('the factors that are published', () => {
  it('are these for every model of the providers that have any, and no others', () => {
    for (const [provider, kinds] of Object.entries(FACTORS)) {
      for (const [kind, name] of Object.entries(NAMES)) {
        const own = kinds[kind] ?? {};
        for (const { id } of loadSnapshot().providers[provider] ?? []) {
          for (const term of ['batch', 'flex', 'fast', 'priority', 'us', 'global', 'not_available', 'eu']) {
            if (provider === 'openai' && (term === 'fast' || term === 'priority')) continue;
            const rule = own[term];
            const expected = typeof rule === 'object' ? rule[id] : rule;
            const factor = termsFactor(provider, id, { ...NONE, [name]: term });
            const found = factor ? factor.num / factor.den : undefined;
            expect([provider, id, term, found]).toEqual([provider, id, term, expected]);
          }
        }
      }
    }
    expect(Object.keys(OWN_TERMS).sort()).toEqual(Object.keys(FACTORS).sort());
  });

  it.each(['priority', 'fast'])('OpenAI %s: these, in the normal context only', (tier) => {
    for (const { id } of loadSnapshot().providers.openai ?? []) {
      const expected = PRIORITY[id];
      expect([id, termsFactor('openai', id, { ...NONE, serviceTier: tier })]).toEqual([
        id,
        expected ? { num: expected[0], den: expected[1], normalContextOnly: true } : null,
      ]);
    }
  });

  it('hold for the long context too where it is not excluded', () => {
    for (const terms of [{ batch: true }, { geo: 'us' }, { speed: 'fast' }]) {
      expect(termsFactor('anthropic', 'claude-opus-4-6', { ...NONE, ...terms })?.normalContextOnly).toBe(
        false,
      );
    }
    const both = termsFactor('openai', 'gpt-5', { ...NONE, serviceTier: 'priority', batch: false });
    expect(both?.normalContextOnly).toBe(true);
  });
});
