import { describe, expect, it } from 'vitest';
import { anthropicAdapter } from '../providers/anthropic/adapter.ts';
import { chooseAccount, compileModelPatterns, type ModelKnown, type PoolAccount } from './pool.ts';

function account(id: string, change: Partial<PoolAccount> = {}): PoolAccount {
  return {
    id,
    name: id,
    adapter: anthropicAdapter,
    preset: null,
    priceProvider: 'p',
    target: { origin: 'https://example.com', allowPrivate: false },
    basePath: '',
    credentialHeaders: [],
    flavors: new Set(['chat']),
    models: [],
    priority: 100,
    paused: false,
    createdAtMs: 1,
    ...change,
  };
}
const never: ModelKnown = () => false;
const chosen = (accounts: PoolAccount[], model: string | null, known = never): string | undefined =>
  chooseAccount(accounts, { flavor: 'chat', model }, known).account?.id;

describe('account choice (CF-02)', () => {
  it('prefers an account that names the model, then priority, then a known price list, then age', () => {
    const named = account('named', { models: compileModelPatterns(['llama*']), createdAtMs: 9 });
    expect(chosen([account('any'), named], 'llama3.1')).toBe('named');
    expect(chosen([account('any'), named], 'gpt-5')).toBe('any');
    expect(chosen([account('a'), account('b', { priority: 1 })], 'm')).toBe('b');
    const byList = (provider: string): boolean => provider === 'lists-it';
    expect(
      chosen([account('a'), account('b', { priceProvider: 'lists-it', createdAtMs: 9 })], 'm', byList),
    ).toBe('b');
    expect(chosen([account('young', { createdAtMs: 5 }), account('old')], 'm')).toBe('old');
  });

  it('tells apart that nothing serves the call and that everything is paused', () => {
    expect(chooseAccount([], { flavor: 'chat', model: null }, never)).toEqual({
      account: null,
      reason: 'none',
    });
    expect(
      chooseAccount([account('a', { flavors: new Set(['other']) })], { flavor: 'chat', model: 'm' }, never),
    ).toEqual({ account: null, reason: 'none' });
    expect(chooseAccount([account('a', { paused: true })], { flavor: 'chat', model: 'm' }, never)).toEqual({
      account: null,
      reason: 'paused',
    });
  });

  it('takes patterns literally but for the star', () => {
    const [pattern] = compileModelPatterns(['gpt-4.1*']);
    expect(pattern?.test('gpt-4.1-mini')).toBe(true);
    expect(pattern?.test('gpt-4x1')).toBe(false);
  });
});
