import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { totalTokens } from '../../accounting/weighted-tokens.ts';
import {
  countWebSearches,
  normaliseOpenaiUsage,
  type OpenaiShape,
  readOpenaiAnswer,
} from './openai-usage.ts';

const read = (usage: unknown, priceProvider: string | null = 'openai', shape: OpenaiShape = 'chat') =>
  normaliseOpenaiUsage({
    shape,
    priceProvider,
    usage,
    model: 'm',
    serviceTier: null,
    webSearches: null,
    complete: true,
  });
const tokensOf = (usage: unknown, priceProvider: string | null = 'openai', shape: OpenaiShape = 'chat') =>
  read(usage, priceProvider, shape)!.tokens;

describe('chat', () => {
  it('takes everything out of prompt and completion that is inside them', () => {
    const tokens = tokensOf({
      prompt_tokens: 1000,
      completion_tokens: 500,
      total_tokens: 1500,
      prompt_tokens_details: {
        cached_tokens: 300,
        cache_write_tokens: 200,
        audio_tokens: 100,
        image_tokens: 50,
      },
      completion_tokens_details: { reasoning_tokens: 250, audio_tokens: 30, rejected_prediction_tokens: 40 },
    });
    expect(tokens).toMatchObject({
      inputUncached: 350,
      cacheRead: 300,
      cacheWriteOther: 200,
      inputAudio: 100,
      cacheReadAudio: 0,
      inputImage: 50,
      outputVisible: 220,
      outputReasoning: 250,
      outputAudio: 30,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
    });
    expect(totalTokens(tokens)).toBe(1500);
  });

  it('bills rejected predictions: they are inside the completion', () => {
    expect(
      tokensOf({
        prompt_tokens: 1,
        completion_tokens: 100,
        completion_tokens_details: { accepted_prediction_tokens: 10, rejected_prediction_tokens: 60 },
      }).outputVisible,
    ).toBe(100);
  });

  it('takes explicit 0 as a value and missing as unknown', () => {
    expect(
      tokensOf({ prompt_tokens: 0, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 0 } }),
    ).toMatchObject({ inputUncached: 0, outputVisible: 0, cacheRead: 0, outputReasoning: null });
    expect(tokensOf({ prompt_tokens: 5 })).toMatchObject({
      inputUncached: 5,
      cacheRead: null,
      outputVisible: null,
    });
    expect(totalTokens(tokensOf({}))).toBeNull();
    expect(read(null)).toBeNull();
    expect(read(undefined)).toBeNull();
  });

  it('takes audio and images that do not fit beside the cache out of the cache', () => {
    const tokens = tokensOf({
      prompt_tokens: 1000,
      prompt_tokens_details: { cached_tokens: 900, audio_tokens: 150, image_tokens: 500 },
    });
    expect(tokens).toMatchObject({
      inputUncached: 0,
      inputAudio: 100,
      cacheReadAudio: 50,
      cacheRead: 850,
      inputImage: 0,
    });
    expect(totalTokens(tokens)).toBe(1000);
  });

  it('says where a batch was', () => {
    const answer = { usage: { prompt_tokens: 1 }, service_tier: 'batch', model: 'gpt-5' };
    expect(readOpenaiAnswer(answer, 'openai')).toMatchObject({
      batch: true,
      serviceTier: 'batch',
      model: 'gpt-5',
    });
  });
});

describe('responses and embeddings', () => {
  it('reads the names of the Responses API', () => {
    expect(
      tokensOf(
        {
          input_tokens: 10_000,
          input_tokens_details: { cached_tokens: 2000, cache_write_tokens: 3000 },
          output_tokens: 100,
          output_tokens_details: { reasoning_tokens: 64 },
        },
        'openai',
        'responses',
      ),
    ).toMatchObject({
      inputUncached: 5000,
      cacheRead: 2000,
      cacheWriteOther: 3000,
      outputVisible: 36,
      outputReasoning: 64,
    });
  });

  it('keeps xAI thinking inside the output there', () => {
    const usage = { input_tokens: 32, output_tokens: 151, output_tokens_details: { reasoning_tokens: 148 } };
    expect(tokensOf(usage, 'x-ai', 'responses')).toMatchObject({ outputVisible: 3, outputReasoning: 148 });
  });

  it('knows that embeddings have no output', () => {
    expect(tokensOf({ prompt_tokens: 8, total_tokens: 8 }, 'openai', 'embeddings')).toMatchObject({
      inputUncached: 8,
      outputVisible: 0,
      outputReasoning: 0,
    });
  });

  it('counts searches, not opened pages', () => {
    const call = (type: string, action?: unknown) => ({ type, action });
    expect(countWebSearches({})).toBeNull();
    expect(countWebSearches({ output: [] })).toBe(0);
    expect(
      countWebSearches({
        output: [
          call('web_search_call', { type: 'search' }),
          call('web_search_call', { type: 'open_page' }),
          call('web_search_call'),
          call('message'),
          null,
        ],
      }),
    ).toBe(2);
  });

  it('tells the kind of an answer by its names', () => {
    expect(
      readOpenaiAnswer({ usage: { input_tokens: 5, output_tokens: 6 } }, 'openai')?.tokens,
    ).toMatchObject({
      inputUncached: 5,
      outputVisible: 6,
    });
    expect(
      readOpenaiAnswer({ object: 'list', usage: { prompt_tokens: 5 } }, 'openai')?.tokens.outputVisible,
    ).toBe(0);
    expect(readOpenaiAnswer({ usage: { prompt_tokens: 5 } }, 'openai')?.tokens.outputVisible).toBeNull();
    for (const odd of [null, 5, 'x', [], {}]) expect(readOpenaiAnswer(odd, 'openai')).toBeNull();
  });
});

describe('providers that count differently', () => {
  it('xAI: 10 and 50 thinking are 60 of output', () => {
    const usage = { completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 50 } };
    expect(tokensOf(usage, 'x-ai')).toMatchObject({ outputVisible: 10, outputReasoning: 50 });
    expect(tokensOf({ ...usage, prompt_tokens: 5, total_tokens: 65 }, 'x-ai')).toMatchObject({
      outputVisible: 10,
      outputReasoning: 50,
    });
  });

  it('xAI: thinking is inside where the total says so', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 60, total_tokens: 65 };
    expect(tokensOf({ ...usage, completion_tokens_details: { reasoning_tokens: 50 } }, 'x-ai')).toMatchObject(
      {
        outputVisible: 10,
        outputReasoning: 50,
      },
    );
  });

  it('Google: thinking is only in the total', () => {
    expect(tokensOf({ prompt_tokens: 5, completion_tokens: 10, total_tokens: 65 }, 'google')).toMatchObject({
      outputVisible: 10,
      outputReasoning: 50,
    });
    expect(
      tokensOf({ prompt_tokens: 5, completion_tokens: 10, total_tokens: 15 }, 'google').outputReasoning,
    ).toBeNull();
    expect(
      tokensOf({ prompt_tokens: 5, completion_tokens: 10, total_tokens: 65 }, 'openai').outputReasoning,
    ).toBeNull();
  });

  it('DeepSeek: hits are cached, hits and misses are the prompt', () => {
    const hits = { prompt_cache_hit_tokens: 1024, prompt_cache_miss_tokens: 176 };
    expect(tokensOf({ prompt_tokens: 1200, ...hits }, 'deepseek')).toMatchObject({
      inputUncached: 176,
      cacheRead: 1024,
    });
    expect(tokensOf(hits, 'deepseek')).toMatchObject({ inputUncached: 176, cacheRead: 1024 });
    expect(totalTokens(tokensOf({ prompt_tokens: 1000, ...hits }, 'deepseek'))).toBeNull();
  });

  it('Moonshot: cached tokens at the top', () => {
    expect(tokensOf({ prompt_tokens: 10, cached_tokens: 4 }, 'moonshotai')).toMatchObject({
      inputUncached: 6,
      cacheRead: 4,
    });
  });

  it('Ollama: a missing prompt count stays unknown', () => {
    expect(tokensOf({ completion_tokens: 12, total_tokens: 12 }, null)).toMatchObject({
      inputUncached: null,
      outputVisible: 12,
    });
  });

  it.each([
    [{ cost: 0.00000905 }, '0.00000905'],
    [{ cost: 0 }, '0'],
    [{ cost: { total_cost: 0.006 } }, '0.006'],
    [{ cost_in_usd_ticks: 37_756_000 }, '0.0037756'],
    [{ cost: -1 }, null],
    [{ cost: '0.1' }, null],
    [{}, null],
  ])('keeps the cost the provider states: %o', (stated, expected) => {
    expect(read({ prompt_tokens: 1, ...stated }, 'openrouter')?.providerCostUsd).toBe(expected);
  });
});

describe('quarantine', () => {
  const one = { prompt_tokens: 10, completion_tokens: 10 };
  it.each<[string, unknown]>([
    ['negative prompt', { ...one, prompt_tokens: -1 }],
    ['text', { ...one, completion_tokens: '10' }],
    ['fraction', { ...one, completion_tokens: 1.5 }],
    ['more cached than prompt', { ...one, prompt_tokens_details: { cached_tokens: 11 } }],
    [
      'more cached and written than prompt',
      { ...one, prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } },
    ],
    ['more audio than prompt', { ...one, prompt_tokens_details: { audio_tokens: 11 } }],
    ['cached without a prompt', { completion_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } }],
    ['more thinking than completion', { ...one, completion_tokens_details: { reasoning_tokens: 11 } }],
    [
      'thinking without a completion',
      { prompt_tokens: 1, completion_tokens_details: { reasoning_tokens: 1 } },
    ],
    ['odd details', { ...one, prompt_tokens_details: 7 }],
    ['negative hits', { ...one, prompt_cache_hit_tokens: -1 }],
    ['no object', 'many'],
    ['a list', [1]],
  ])('keeps %s raw and says nothing of it', (_name, raw) => {
    const usage = read(raw, 'deepseek')!;
    expect(usage.raw).toBe(raw);
    expect(usage.complete).toBe(false);
    expect(TOKEN_BUCKETS.every((bucket) => usage.tokens[bucket] === null)).toBe(true);
  });

  it('loses no token of what it believes, and never throws or goes negative', () => {
    const count = fc.oneof(
      { weight: 6, arbitrary: fc.nat(1000) },
      fc.constantFrom(undefined, null, -1, 'x', 0.5, Number.NaN),
    );
    const details = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          cached_tokens: count,
          cache_write_tokens: count,
          audio_tokens: count,
          image_tokens: count,
          reasoning_tokens: count,
        }),
      },
      fc.anything(),
    );
    const usage = fc.record(
      {
        prompt_tokens: fc.oneof(fc.nat(4000), count),
        completion_tokens: fc.oneof(fc.nat(4000), count),
        total_tokens: count,
        prompt_tokens_details: details,
        completion_tokens_details: details,
        prompt_cache_hit_tokens: count,
        cost: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const provider = fc.constantFrom('openai', 'x-ai', 'google', 'deepseek', null);
    fc.assert(
      fc.property(
        usage,
        provider,
        fc.constantFrom<OpenaiShape>('chat', 'responses', 'embeddings'),
        (raw, from, shape) => {
          const tokens = tokensOf(raw, from, shape);
          for (const bucket of TOKEN_BUCKETS) expect(tokens[bucket] ?? 0).toBeGreaterThanOrEqual(0);
          const total = totalTokens(tokens);
          if (total === null || from === 'x-ai' || from === 'google' || shape !== 'chat') return;
          expect(total).toBe((Number(raw.prompt_tokens) || 0) + (Number(raw.completion_tokens) || 0));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
