import { NO_RESTRICTIONS } from '@tallygate/contract/api/key-restrictions';
import { describe, expect, it } from 'vitest';
import { assertModelAllowed, compileKeyLimits, modelAllowed } from './key-limits.ts';

const limitsOf = (change: Partial<typeof NO_RESTRICTIONS>) =>
  compileKeyLimits({ ...NO_RESTRICTIONS, ...change });

describe('what narrows a key', () => {
  it('is nothing at all where nothing is said', () => {
    expect(compileKeyLimits(null)).toBeNull();
    expect(limitsOf({})).toBeNull();
  });

  it('models are literal but for the star, and one that fits is enough', () => {
    const limits = limitsOf({ models: ['claude-haiku-*', 'gpt-5'] });
    if (limits === null) throw new Error('there are limits');
    expect(['claude-haiku-4-5', 'gpt-5'].map((model) => modelAllowed(limits, model))).toEqual([true, true]);
    for (const model of ['claude-opus-4-5', 'gpt-5-pro', 'GPT-5', 'x-gpt-5', '', null])
      expect([model, modelAllowed(limits, model)]).toEqual([model, false]);
  });

  it('a metered call that names no model is refused, one that costs nothing is not', () => {
    const limits = limitsOf({ models: ['*'] });
    if (limits === null) throw new Error('there are limits');
    expect(() => assertModelAllowed(limits, { model: null, metered: true })).toThrow(
      /may not use this model/,
    );
    expect(() => assertModelAllowed(limits, { model: null, metered: false })).not.toThrow();
    expect(() => assertModelAllowed(limits, { model: 'any', metered: true })).not.toThrow();
    const onlyProviders = limitsOf({ providers: ['anthropic'] });
    if (onlyProviders === null) throw new Error('there are limits');
    expect(() => assertModelAllowed(onlyProviders, { model: null, metered: true })).not.toThrow();
  });

  it('takes no longer for a name that almost fits a pattern of many stars', () => {
    const limits = limitsOf({ models: [`${'*a'.repeat(5)}*b`] });
    if (limits === null) throw new Error('there are limits');
    const startedMs = performance.now();
    expect(modelAllowed(limits, 'a'.repeat(256))).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
