import { describe, expect, it } from 'vitest';
import { CONTEXT_TOKENS, modelOutputTokens, TOOL_RESULT_TOKENS } from './output-limits.ts';

describe('the most a model gives when nobody says how much', () => {
  it.each([
    ['openai', 'gpt-4o', 16_384],
    ['openai', 'gpt-4o-mini-2024-07-18', 16_384],
    ['openai', 'gpt-4.1', 32_768],
    ['openai', 'gpt-4.1-nano', 32_768],
    ['openai', 'gpt-4-turbo-2024-04-09', 4096],
    ['openai', 'gpt-3.5-turbo', 4096],
    ['openai', 'gpt-4', 8192],
    ['openai', 'gpt-4-0613', 8192],
    ['openai', 'o3', 100_000],
    ['openai', 'o1-pro', 100_000],
    ['anthropic', 'claude-opus-4-1', 32_000],
    ['anthropic', 'claude-opus-4-1-20250805', 32_000],
    ['anthropic', 'claude-opus-4-20250514', 32_000],
    ['anthropic', 'claude-opus-4', 32_000],
    ['anthropic', 'claude-3-5-haiku-latest', 32_000],
    ['anthropic', 'claude-sonnet-4-5', 64_000],
    ['anthropic', 'claude-sonnet-4-20250514', 64_000],
    ['anthropic', 'claude-haiku-4-5', 64_000],
    ['anthropic', 'claude-opus-4-5', 64_000],
  ])('%s %s: %i', (provider, model, tokens) => expect(modelOutputTokens(provider, model)).toBe(tokens));

  it.each([
    ['openai', 'gpt-5'],
    ['openai', 'gpt-6-sol'],
    ['openai', 'gpt-4omni'],
    ['openai', 'openai-o3'],
    ['openai', 'omni-moderation'],
    ['anthropic', 'claude-opus-5'],
    ['anthropic', 'claude-opus-4-6'],
    ['anthropic', 'gpt-4o'],
    ['google', 'gpt-4o'],
    ['constructor', 'gpt-4o'],
    ['openai', null],
    [null, 'gpt-4o'],
    [null, null],
  ])('%s %s is not known, so the largest of all counts', (provider, model) =>
    expect(modelOutputTokens(provider, model)).toBe(128_000),
  );

  it('no context that a provider offers is above the one that is assumed', () => {
    expect(CONTEXT_TOKENS).toBe(1_050_000);
    expect(TOOL_RESULT_TOKENS).toBe(50_000);
  });
});
