import { readFileSync } from 'node:fs';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { quoteAnswer } from '../../accounting/quote.ts';
import { totalTokens } from '../../accounting/weighted-tokens.ts';
import { normaliseMessagesUsage } from '../shared/messages-usage.ts';
import { anthropicNormaliser } from './usage.ts';

const book = compilePriceBook(loadSnapshot(), []);
const read = (usage: unknown, model: string | null = 'claude-sonnet-4-5') =>
  normaliseMessagesUsage({ usage, model, serviceTier: null, complete: true });
const cost = (model: string, usage: unknown, at = '2026-01-15T12:00:00Z') =>
  quoteAnswer(book, [anthropicNormaliser], {
    provider: 'anthropic',
    model,
    atMs: Date.parse(at),
    answer: { usage },
  }).costNanoUsd;

describe('golden vectors (TW-10, X-03)', () => {
  it('Anthropic mixed TTL, Sonnet 4.5: 0.059300', () => {
    expect(
      cost('claude-sonnet-4-5', {
        input_tokens: 100,
        cache_creation_input_tokens: 5000,
        cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 3000 },
        cache_read_input_tokens: 20_000,
        output_tokens: 500,
        server_tool_use: { web_search_requests: 2 },
      }),
    ).toBe(59_300_000n);
  });

  it('without the lifetime split, all writes are billed at the five-minute rate: 0.052550', () => {
    expect(
      cost('claude-sonnet-4-5', {
        input_tokens: 100,
        cache_creation_input_tokens: 5000,
        cache_read_input_tokens: 20_000,
        output_tokens: 500,
        server_tool_use: { web_search_requests: 2 },
      }),
    ).toBe(52_550_000n);
  });

  it('without searches: 0.039300', () => {
    expect(
      cost('claude-sonnet-4-5', {
        input_tokens: 100,
        cache_creation_input_tokens: 5000,
        cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 3000 },
        cache_read_input_tokens: 20_000,
        output_tokens: 500,
      }),
    ).toBe(39_300_000n);
  });

  it('Anthropic cliff: 200,000 → 0.600000, 200,001 → 1.200006, 10 + 300k read + 2k out → 0.225060', () => {
    expect(cost('claude-sonnet-4-5', { input_tokens: 200_000 })).toBe(600_000_000n);
    expect(cost('claude-sonnet-4-5', { input_tokens: 200_001 })).toBe(1_200_006_000n);
    expect(
      cost('claude-sonnet-4-5', { input_tokens: 10, cache_read_input_tokens: 300_000, output_tokens: 2000 }),
    ).toBe(225_060_000n);
  });

  it('Price date, Opus 4.6, 300k in: 3.00 on 2026-03-01, 1.50 on 2026-04-01', () => {
    expect(cost('claude-opus-4-6', { input_tokens: 300_000 }, '2026-03-01T00:00:00Z')).toBe(3_000_000_000n);
    expect(cost('claude-opus-4-6', { input_tokens: 300_000 }, '2026-04-01T00:00:00Z')).toBe(1_500_000_000n);
  });

  it('Unknown: claude-opus-9 and claude-sonnet-5-5 have no price, never zero', () => {
    expect(cost('claude-opus-9', { input_tokens: 1000 })).toBeNull();
    expect(cost('claude-sonnet-5-5', { input_tokens: 1000 })).toBeNull();
    expect(cost('claude-sonnet-5', { input_tokens: 1000 })).toBe(2_000_000n);
  });
});

describe('buckets', () => {
  it('keeps the cache outside the input and thinking inside the output', () => {
    const usage = read({
      input_tokens: 10,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      cache_read_input_tokens: 4000,
      output_tokens: 500,
      output_tokens_details: { thinking_tokens: 180 },
      service_tier: 'priority',
      speed: 'fast',
      inference_geo: 'us',
      server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
    });
    expect(usage).toMatchObject({
      model: 'claude-sonnet-4-5',
      serviceTier: 'priority',
      speed: 'fast',
      geo: 'us',
      batch: false,
      complete: true,
      subCalls: [],
      units: { webSearchRequests: 3, webFetchRequests: 1, codeExecutionRequests: null },
      tokens: {
        inputUncached: 10,
        cacheWrite5m: 100,
        cacheWrite1h: 200,
        cacheRead: 4000,
        outputVisible: 320,
        outputReasoning: 180,
        cacheWriteOther: 0,
      },
    });
    expect(totalTokens(usage!.tokens)).toBe(10 + 300 + 4000 + 500);
  });

  it('bills writes that the split leaves out at the five-minute rate', () => {
    const usage = read({
      input_tokens: 1,
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 40 },
    });
    expect(usage?.tokens).toMatchObject({ cacheWrite5m: 60, cacheWrite1h: 40 });
  });

  it('reads the split alone when the total is missing', () => {
    const usage = read({ cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 40 } });
    expect(usage?.tokens).toMatchObject({ cacheWrite5m: 10, cacheWrite1h: 40, inputUncached: null });
  });

  it('takes explicit 0 as a value and missing as unknown', () => {
    const usage = read({ input_tokens: 0, cache_read_input_tokens: null, output_tokens: 0 });
    expect(usage?.tokens).toMatchObject({
      inputUncached: 0,
      outputVisible: 0,
      cacheRead: null,
      cacheWrite5m: null,
    });
  });

  it('drops a thinking detail that does not fit: the billed total stands', () => {
    for (const thinking of [501, -1, '7', Number.NaN]) {
      const usage = read({
        input_tokens: 1,
        output_tokens: 500,
        output_tokens_details: { thinking_tokens: thinking },
      });
      expect(usage?.tokens).toMatchObject({ outputVisible: 500, outputReasoning: null, inputUncached: 1 });
    }
  });

  it('marks a batch by its served tier', () => {
    expect(read({ input_tokens: 1, service_tier: 'batch' })?.batch).toBe(true);
  });

  it('says nothing where there is nothing', () => {
    expect(read(undefined)).toBeNull();
    expect(read(null)).toBeNull();
    expect(Object.values(read({})!.tokens).every((count) => count === null)).toBe(true);
  });
});

describe('quarantine', () => {
  const broken: [string, unknown][] = [
    ['negative', { input_tokens: -1, output_tokens: 5 }],
    ['not a number', { input_tokens: Number.NaN, output_tokens: 5 }],
    ['infinite', { input_tokens: Number.POSITIVE_INFINITY, output_tokens: 5 }],
    ['text', { input_tokens: '12', output_tokens: 5 }],
    ['fractional', { input_tokens: 1.5, output_tokens: 5 }],
    ['absurd', { input_tokens: 1e15, output_tokens: 5 }],
    ['boolean', { input_tokens: true, output_tokens: 5 }],
    ['odd details', { input_tokens: 1, cache_creation: [1], output_tokens: 5 }],
    ['odd tools', { input_tokens: 1, server_tool_use: 'no' }],
    [
      'split above total',
      { cache_creation_input_tokens: 5, cache_creation: { ephemeral_1h_input_tokens: 6 }, output_tokens: 5 },
    ],
    ['odd iterations', { input_tokens: 1, iterations: {} }],
    ['odd iteration', { input_tokens: 1, iterations: ['x'] }],
    ['broken iteration', { input_tokens: 1, iterations: [{ input_tokens: -1 }] }],
    ['endless iterations', { input_tokens: 1, iterations: new Array(1001).fill({ input_tokens: 1 }) }],
    ['no object', 'lots'],
    ['a list', [1, 2]],
  ];
  for (const [name, raw] of broken) {
    it(`keeps a ${name} usage raw and says nothing of it`, () => {
      const usage = read(raw);
      expect(usage?.raw).toBe(raw);
      expect(usage?.complete).toBe(false);
      expect(usage?.subCalls).toEqual([]);
      expect(totalTokens(usage!.tokens)).toBeNull();
    });
  }

  it('survives anything (never throws, never negative)', () => {
    const count = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeNat(),
    );
    const usage = fc.record(
      {
        input_tokens: count,
        output_tokens: count,
        cache_creation_input_tokens: count,
        cache_read_input_tokens: count,
        cache_creation: fc.oneof(
          fc.record({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count }),
          fc.anything(),
        ),
        output_tokens_details: fc.oneof(fc.record({ thinking_tokens: count }), fc.anything()),
        server_tool_use: fc.anything(),
        iterations: fc.oneof(
          fc.array(fc.record({ type: fc.string(), model: fc.string(), input_tokens: count })),
          fc.anything(),
        ),
        service_tier: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(usage, fc.anything()), (raw) => {
        const normalised = anthropicNormaliser.fromAnswer({ usage: raw, model: 'claude-sonnet-4-5' });
        for (const part of normalised ? [normalised, ...normalised.subCalls] : []) {
          for (const bucket of TOKEN_BUCKETS) expect(part.tokens[bucket] ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('iterations', () => {
  const call = (type: string, model: string | null, input: number, output: number) => ({
    type,
    model,
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  });
  const usageWith = (input: number, output: number, iterations: unknown[]) => ({
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    iterations,
  });

  it('adds compaction of the same model, and gives an advisor a row of its own', () => {
    const answer: unknown = JSON.parse(
      readFileSync(new URL('./fixtures/compaction-advisor.json', import.meta.url), 'utf8'),
    );
    const usage = anthropicNormaliser.fromAnswer(answer);
    expect(usage?.tokens).toMatchObject({ inputUncached: 203_000, outputVisible: 4500 });
    expect(usage?.subCalls).toMatchObject([
      {
        model: 'claude-opus-4-5-20251101',
        tokens: { inputUncached: 5000, cacheRead: 1000, outputVisible: 400 },
      },
    ]);
    const quote = quoteAnswer(book, [anthropicNormaliser], {
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      atMs: Date.parse('2026-01-15'),
      answer,
    });
    // Two calls of 180k and 23k, neither above 200k: no long-context rate for the sum of 203k.
    const sonnet = (203_000n * 3_000_000n + 4500n * 15_000_000n) / 1000n;
    const opus = (5000n * 5_000_000n + 1000n * 500_000n + 400n * 25_000_000n) / 1000n;
    expect(quote.costNanoUsd).toBe(sonnet + opus);
    expect(new Set(quote.lines.map((line) => line.model))).toEqual(
      new Set(['claude-sonnet-4-5', 'claude-opus-4-5-20251101']),
    );
  });

  it('counts nothing twice when the top level is the sum of its messages', () => {
    const usage = read(usageWith(300, 30, [call('message', null, 100, 10), call('message', null, 200, 20)]));
    expect(usage?.tokens).toMatchObject({ inputUncached: 300, outputVisible: 30 });
    expect(usage?.calls).toHaveLength(2);
  });

  it('counts nothing twice when the top level includes compaction already', () => {
    const usage = read(
      usageWith(300, 30, [call('message', null, 100, 10), call('compaction', null, 200, 20)]),
    );
    expect(usage?.tokens).toMatchObject({ inputUncached: 300, outputVisible: 30 });
  });

  it('takes the other model out when the top level includes it', () => {
    const usage = read(
      usageWith(300, 30, [
        call('message', 'claude-opus-5', 200, 20),
        call('fallback_message', 'claude-sonnet-4-5', 100, 10),
      ]),
    );
    expect(usage?.tokens).toMatchObject({ inputUncached: 100, outputVisible: 10 });
    expect(usage?.subCalls).toMatchObject([{ model: 'claude-opus-5', tokens: { inputUncached: 200 } }]);
  });

  it('leaves the top level alone when it stands for the serving model only', () => {
    const usage = read(
      usageWith(100, 10, [
        call('message', 'claude-opus-5', 200, 20),
        call('fallback_message', 'claude-sonnet-4-5', 100, 10),
      ]),
    );
    expect(usage?.tokens).toMatchObject({ inputUncached: 100, outputVisible: 10 });
    expect(usage?.subCalls).toHaveLength(1);
  });

  it('credits a fallback when the answer names the model that was asked for', () => {
    const usage = read(
      usageWith(100, 10, [call('fallback_message', 'claude-opus-4-8', 100, 10)]),
      'claude-opus-5',
    );
    expect(usage).toMatchObject({ model: 'claude-opus-4-8', subCalls: [], tokens: { inputUncached: 100 } });
  });

  it('knows a dated id for the same model', () => {
    const usage = read(usageWith(100, 10, [call('message', 'claude-sonnet-4-5-20250929', 100, 10)]));
    expect(usage?.subCalls).toEqual([]);
  });

  it('merges the calls of one other model and keeps them apart for context tiers', () => {
    const usage = read(
      usageWith(10, 1, [
        call('message', null, 10, 1),
        call('advisor_message', 'claude-opus-4-5', 150_000, 5),
        call('advisor_message', 'claude-opus-4-5', 150_000, 6),
      ]),
    );
    expect(usage?.subCalls).toHaveLength(1);
    expect(usage?.subCalls[0]?.tokens).toMatchObject({ inputUncached: 300_000, outputVisible: 11 });
    expect(usage?.subCalls[0]?.calls).toHaveLength(2);
  });

  it('never loses or doubles a token when the top level leaves out what the documentation says', () => {
    const kinds = fc.constantFrom('message', 'compaction', 'advisor_message');
    const entry = fc.record({
      kind: kinds,
      other: fc.boolean(),
      input: fc.integer({ min: 1, max: 1_000_000 }),
      output: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), fc.integer({ min: 1, max: 9999 }), (entries, first) => {
        const calls = entries.map(({ kind, other, input, output }) =>
          call(kind, other && kind === 'advisor_message' ? 'claude-opus-4-5' : null, input, output),
        );
        calls.push(call('message', null, first, first));
        const messages = calls.filter((one) => one.type === 'message');
        const total = (list: typeof calls, key: 'input_tokens' | 'output_tokens') =>
          list.reduce((sum, one) => sum + one[key], 0);
        const usage = read(
          usageWith(total(messages, 'input_tokens'), total(messages, 'output_tokens'), calls),
        );
        const parts = [usage!, ...usage!.subCalls];
        const counted = (bucket: 'inputUncached' | 'outputVisible') =>
          parts.reduce((sum, part) => sum + (part.tokens[bucket] ?? 0), 0);
        expect(counted('inputUncached')).toBe(total(calls, 'input_tokens'));
        expect(counted('outputVisible')).toBe(total(calls, 'output_tokens'));
      }),
      { numRuns: 300 },
    );
  });
});
