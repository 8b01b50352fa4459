import { describe, expect, it } from 'vitest';
import { compilePriceBook } from '../../accounting/price-book.ts';
import { loadSnapshot } from '../../accounting/price-snapshot.ts';
import { RequestBound } from '../../accounting/request-bound.ts';
import { anthropicAdapter } from '../anthropic/adapter.ts';
import { geminiAdapter } from '../gemini/adapter.ts';
import type { ProviderAdapter } from '../provider.ts';

const book = compilePriceBook(loadSnapshot(), []);
const BASE = '/v1/projects/p/locations/global/publishers';
const KINDS = [
  {
    adapter: geminiAdapter,
    publisher: 'google',
    flavor: 'gemini.generate',
    model: 'gemini-2.5-pro',
    body: { contents: [], generationConfig: { maxOutputTokens: 100 } },
  },
  {
    adapter: anthropicAdapter,
    publisher: 'anthropic',
    flavor: 'anthropic.messages',
    model: 'claude-sonnet-4-5',
    body: { messages: [], max_tokens: 100 },
  },
];

describe.each(KINDS)('requests to $publisher on Vertex AI', ({ adapter, publisher, flavor, model, body }) => {
  function costNanoUsd(of: ProviderAdapter | null | undefined, headers: readonly string[]): number | null {
    const shape = of?.requestShape(flavor, body, 100, headers);
    if (shape === undefined) return null;
    const question = { provider: of?.priceProvider ?? null, model, atMs: Date.UTC(2026, 10, 1) };
    return new RequestBound(book, question, shape).costNanoUsd(100);
  }
  const vertex = adapter.variantAt?.(`${BASE}/${publisher}`);
  const type = 'X-Vertex-AI-LLM-Shared-Request-Type';

  it.each([
    [['x-vertex-ai-llm-shared-request-type', 'priority']],
    [[type, 'Flex, PRIORITY ']],
    [[type, 'flex', type, 'something-new']],
  ])('have no bound with %j, whose price nobody knows (X-02)', (headers) => {
    expect(costNanoUsd(vertex, headers)).toBeNull();
    expect(costNanoUsd(adapter, headers)).toBeGreaterThan(0); // only Vertex AI heeds it
  });

  it.each([
    [[]],
    [[type, 'flex']],
    [['X-Vertex-AI-LLM-Request-Type', 'dedicated']],
    [['X-Vertex-AI-LLM-Request-Type', 'shared', type, '']],
    [['x-a', type, 'x-b', 'priority']],
  ])('are bounded by the list price with %j', (headers) => {
    expect(costNanoUsd(vertex, headers)).toBe(costNanoUsd(adapter, []));
    expect(costNanoUsd(vertex, headers)).toBeGreaterThan(0);
  });
});
