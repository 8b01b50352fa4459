import { unknownTokens, unknownUnits } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messagesRuleView } from '../providers/shared/messages-rule-view.ts';
import { messagesShape } from '../providers/shared/messages-shape.ts';
import { openaiShape } from '../providers/shared/openai-shape.ts';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';
import { priceUsage } from './price-usage.ts';
import { RequestBound } from './request-bound.ts';
import type { RequestShape } from './request-shape.ts';

const book = compilePriceBook(loadSnapshot(), []);
const AT = Date.UTC(2026, 10, 1, 2);

const anthropic = (body: Record<string, unknown>): RequestShape =>
  messagesShape(body, JSON.stringify(body).length);
const openai = (body: Record<string, unknown>, flavor = 'openai.chat'): RequestShape =>
  openaiShape(flavor, body, { bodyBytes: JSON.stringify(body).length, oldNames: false });

const imageUrl = (data: string) => ({
  type: 'image_url',
  image_url: { url: `data:image/png;base64,${data}` },
});

const text = fc
  .tuple(fc.constantFrom('a', 'wörld ', '界', '"'), fc.constantFrom(1, 50, 3_000, 60_000))
  .map(([unit, times]) => unit.repeat(times));
const MODELS = {
  anthropic: ['claude-sonnet-4-5', 'claude-opus-4-6', 'claude-haiku-4-5', 'claude-sonnet-4'],
  openai: ['gpt-5', 'gpt-4o', 'gpt-6-sol', 'gpt-5.4', 'o3', 'gpt-4o-mini'],
};

/** Any split of at most the tokens that the shape allows over the buckets that it names. */
function usageWithin(shape: RequestShape, shares: readonly number[], level: number) {
  const tokens = unknownTokens();
  const spread = (buckets: RequestShape['inputBuckets'], total: number): void => {
    const weights = buckets.map((_, i) => shares[i] ?? 0);
    const sum = weights.reduce((a, b) => a + b, 0) || 1;
    buckets.forEach((bucket, i) => {
      tokens[bucket] = (tokens[bucket] ?? 0) + Math.floor((total * (weights[i] ?? 0)) / sum);
    });
  };
  spread([...shape.inputBuckets, 'cacheRead'], Math.floor(shape.inputTokens * level));
  spread(shape.outputBuckets, Math.floor((shape.outputTokens ?? 0) * shape.choices * level));
  return tokens;
}

describe('the upper bound (X-02)', () => {
  it('is above what any usage it allows can be billed at', () => {
    let priced = 0;
    fc.assert(
      fc.property(
        fc.constantFrom<'anthropic' | 'openai'>('anthropic', 'openai'),
        fc.nat(),
        text,
        fc.integer({ min: 1, max: 64_000 }),
        fc.constantFrom(undefined, '5m', '1h'),
        fc.constantFrom(undefined, 'flex', 'priority'),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(10), { minLength: 6, maxLength: 6 }),
        fc.constantFrom(1, 0.999, 0.5, 0.1),
        // biome-ignore lint/complexity/useMaxParams: one argument an arbitrary
        (provider, pick, content, max, ttl, tier, n, shares, level) => {
          const model = MODELS[provider][pick % MODELS[provider].length] ?? '';
          const part = ttl === undefined ? {} : { cache_control: { type: 'ephemeral', ttl } };
          const shape =
            provider === 'anthropic'
              ? anthropic({ model, max_tokens: max, system: [{ type: 'text', text: content, ...part }] })
              : openai({ model, max_completion_tokens: max, n, service_tier: tier, messages: [{ content }] });
          const bound = new RequestBound(book, { provider, model, atMs: AT }, shape);
          const tokens = usageWithin(shape, shares, level);
          for (const terms of shape.terms) {
            const usage = { ...terms, model, tokens, units: unknownUnits() };
            const { costNanoUsd } = priceUsage(book, { provider, usage, fallbackModel: null, atMs: AT });
            const limit = bound.costNanoUsd(bound.outputTokens);
            if (costNanoUsd === null || limit === null) continue;
            priced += 1;
            expect(BigInt(limit)).toBeGreaterThanOrEqual(costNanoUsd);
          }
          const used = Object.values(tokens).reduce<number>((sum, count) => sum + (count ?? 0), 0);
          expect(bound.tokens(bound.outputTokens)).toBeGreaterThanOrEqual(used);
        },
      ),
      { numRuns: 300 },
    );
    expect(priced).toBeGreaterThan(150);
  });

  const nano = (shape: RequestShape, model: string, provider = 'anthropic') => {
    const bound = new RequestBound(book, { provider, model, atMs: AT }, shape);
    return bound.costNanoUsd(bound.outputTokens);
  };

  it('is input bytes and the whole output limit at list price', () => {
    const body = {
      model: 'claude-sonnet-4-5',
      max_tokens: 1000,
      messages: [{ role: 'user', content: 'Hi' }],
    };
    const tokens = JSON.stringify(body).length + 16;
    expect(nano(anthropic(body), 'claude-sonnet-4-5')).toBe(tokens * 3000 + 1000 * 15_000 + 1);
  });

  it('takes the cache-write rate only where caching is asked for, the dearer lifetime when both are', () => {
    const cached = (...ttls: string[]) =>
      anthropic({
        max_tokens: 1,
        system: ttls.map((ttl) => ({ type: 'text', text: 'x', cache_control: { ttl } })),
      });
    expect(anthropic({ max_tokens: 1 }).inputBuckets).toEqual(['inputUncached']);
    expect(cached('5m').inputBuckets).toEqual(['inputUncached', 'cacheWrite5m']);
    expect(cached('5m', '1h').inputBuckets).toEqual(['inputUncached', 'cacheWrite5m', 'cacheWrite1h']);
  });

  it('counts images by formula and not by their bytes, and unseen content as a whole context', () => {
    const data = 'A'.repeat(500_000);
    const image = anthropic({
      messages: [{ content: [{ type: 'image', source: { type: 'base64', data } }] }],
    });
    expect(image.inputTokens).toBeLessThan(10_000);
    const chat = openai({
      messages: [{ content: [{ type: 'image_url', image_url: { url: 'https://a/b.png' } }] }],
    });
    expect(chat.inputTokens).toBeGreaterThan(12_000);
    const pdf = anthropic({
      messages: [{ content: [{ type: 'document', source: { type: 'url', url: 'x' } }] }],
    });
    const stored = openai({ previous_response_id: 'resp_1', input: 'x' }, 'openai.responses');
    expect([image, pdf, stored].map((shape) => shape.reachesBeyondBody)).toEqual([false, true, true]);
    const bound = new RequestBound(book, { provider: 'openai', model: 'gpt-5', atMs: AT }, stored);
    expect(bound.tokens(0)).toBeGreaterThanOrEqual(1_050_000);
  });

  it('knows output limits, choices, hosted tools, and what a clamp may do', () => {
    expect(
      new RequestBound(book, { provider: 'openai', model: 'gpt-4o-mini', atMs: AT }, openai({})).outputTokens,
    ).toBe(16_384);
    expect(openai({ n: 3, max_tokens: 5 })).toMatchObject({
      choices: 3,
      outputTokens: 5,
      outputMember: 'max_tokens',
    });
    expect(openai({ max_tokens: 5, max_completion_tokens: 3 })).toMatchObject({
      outputTokens: 5,
      outputMember: null,
    });
    expect(openai({ input: 'x' }, 'openai.embeddings')).toMatchObject({
      outputTokens: 0,
      outputMember: null,
    });
    expect(
      anthropic({ tools: [{ type: 'web_search_20250305', max_uses: 3 }, { name: 'mine' }] }).toolUses,
    ).toBe(3);
    expect(anthropic({ thinking: { type: 'enabled', budget_tokens: 2000 } }).minOutputTokens).toBe(2001);
    const search = anthropic({ max_tokens: 10, tools: [{ type: 'web_search_20250305', max_uses: 1 }] });
    const without = anthropic({ max_tokens: 10, tools: [{ name: 'web_search_20250305', max_uses: 1 }] });
    const [dear, plain] = [search, without].map((shape) => nano(shape, 'claude-sonnet-4-5') ?? 0);
    expect((dear ?? 0) - (plain ?? 0)).toBeGreaterThan(10_000_000 + 50_000 * 3000);
  });

  it('reads an amount as a lenient server would: as a number that looks like one', () => {
    const lenient = openai({ n: '5', max_tokens: ' 1_000 ', tools: [{ type: 'x' }], max_tool_calls: '2.5' });
    expect(lenient).toMatchObject({ choices: 5, outputTokens: 1000, toolUses: 3 });
    expect(openai({ n: 2.5, max_tokens: 10.5 })).toMatchObject({ choices: 3, outputTokens: 11 });
    const tool = { type: 'web_search_20250305', max_uses: '100' };
    expect(anthropic({ max_tokens: '9', tools: [tool] })).toMatchObject({ outputTokens: 9, toolUses: 100 });
    expect(openai({ max_tokens: 10, max_completion_tokens: '5000' }).outputTokens).toBe(5000);
  });

  it('takes a limit that says nothing for none, and lowers that very member', () => {
    for (const limit of [-1, 0, 'lots', {}, '1e9', Number.NaN])
      expect(openai({ max_tokens: limit })).toMatchObject({ outputTokens: null, outputMember: 'max_tokens' });
    for (const limit of [-1, 'lots'])
      expect(openai({ max_tokens: limit, max_completion_tokens: 5 })).toMatchObject({
        outputTokens: null,
        outputMember: null,
      });
    expect(openai({ max_output_tokens: 0 }, 'openai.responses').outputTokens).toBeNull();
  });

  it('counts as text what looks like an image where no image can be', () => {
    const data = 'lots of words '.repeat(50_000);
    const block = { type: 'image', source: { type: 'base64', data } };
    const call = { type: 'tool_use', id: 'a', name: 'f', input: block };
    const hidden = [
      anthropic({ messages: [{ role: 'assistant', content: [call] }] }),
      anthropic({ tools: [{ name: 'f', input_schema: { properties: { x: { content: block } } } }] }),
      openai({ tools: [{ type: 'function', function: { parameters: { default: imageUrl(data) } } }] }),
      openai({ input: [{ type: 'mcp_call', input: imageUrl(data) }] }, 'openai.responses'),
    ];
    for (const shape of hidden) expect(shape.inputTokens).toBeGreaterThan(data.length);
    const shown = [
      anthropic({ messages: [{ content: [{ type: 'tool_result', content: [block] }] }] }),
      openai({ messages: [{ content: [imageUrl(data)] }] }),
      openai(
        { input: [{ content: [{ type: 'input_image', image_url: `data:image/png;${data}` }] }] },
        'openai.responses',
      ),
    ];
    for (const shape of shown) expect(shape.inputTokens).toBeLessThan(20_000);
  });

  it('is reckoned whatever stands where a word is expected', () => {
    const odd = { toString: 'x' };
    const body = { messages: [{ role: odd, content: [{ type: 'document', source: { type: odd } }] }] };
    expect(anthropic(body).reachesBeyondBody).toBe(true);
    expect(messagesRuleView('anthropic.messages', body).system()).toBe('');
  });

  it('has no cost without a price, and none where everything is free', () => {
    expect(nano(anthropic({}), 'nobody-knows')).toBeNull();
    expect(nano(openai({}), 'gemma-4-31b-it', 'google')).toBe(0);
  });
});
