import { describe, expect, it } from 'vitest';
import { anthropicAdapter } from '../providers/anthropic/adapter.ts';
import { createReachOf } from './account-reach.ts';
import { AccountState } from './account-state.ts';
import { compileModelPatterns, findCandidates, type ModelKnown, type PoolAccount } from './pool.ts';
import { UpstreamState } from './upstream-state.ts';

function account(id: string, change: Partial<PoolAccount> = {}): PoolAccount {
  return {
    id,
    workspaceId: 'w',
    name: id,
    adapter: anthropicAdapter,
    preset: null,
    priceProvider: 'p',
    target: { origin: 'https://example.com', allowPrivate: false },
    basePath: '',
    baseQuery: '',
    credentialHeaders: [],
    authorizer: null,
    flavors: new Set(['chat']),
    models: [],
    modelNames: [],
    priority: 100,
    share: 1,
    boundTo: [],
    paused: false,
    createdAtMs: 1,
    state: new AccountState(id, 1),
    upstream: new UpstreamState(),
    ...change,
  };
}
const never: ModelKnown = () => false;
const groups = (accounts: PoolAccount[], model: string | null, known = never) =>
  findCandidates(accounts, { flavor: 'chat', model }, known).groups?.map((group) =>
    group.map((member) => member.id),
  );

describe('who can serve a call (CF-02)', () => {
  it('prefers an account that names the model, then priority, then a known price list; equals share a group', () => {
    const named = account('named', { models: compileModelPatterns(['llama*']), createdAtMs: 9 });
    expect(groups([account('any'), named], 'llama3.1')).toEqual([['named'], ['any']]);
    expect(groups([account('any'), named], 'gpt-5')).toEqual([['any']]);
    expect(groups([account('a'), account('b', { priority: 1 })], 'm')).toEqual([['b'], ['a']]);
    const byList = (provider: string): boolean => provider === 'lists-it';
    expect(
      groups([account('a'), account('b', { priceProvider: 'lists-it', createdAtMs: 9 })], 'm', byList)?.[0],
    ).toEqual(['b']);
    expect(groups([account('young', { createdAtMs: 5 }), account('old')], 'm')).toEqual([['old', 'young']]);
  });

  it('moves on only to the same kind of upstream or to one that has the model', () => {
    const listed = account('listed', { priceProvider: 'lists-it' });
    const other = account('other', { priceProvider: 'something-else' });
    const byList = (provider: string): boolean => provider === 'lists-it';
    expect(groups([listed, other], 'm', byList)).toEqual([['listed']]);
    const namesIt = account('names-it', { priceProvider: 'x', models: compileModelPatterns(['m']) });
    expect(groups([listed, namesIt], 'm', byList)).toEqual([['names-it'], ['listed']]);
  });

  it('translates only after accounts of the format, and where there is one, only for accounts that have the model (X-04)', () => {
    const translated = (id: string, change: Partial<PoolAccount> = {}) =>
      account(id, { flavors: new Set(['other']), priority: 1, ...change });
    const byList: ModelKnown = (provider) => provider === 'lists-it';
    const order = (accounts: PoolAccount[], known = never) =>
      findCandidates(accounts, { flavor: 'chat', model: 'm', translates: () => true }, known)
        .groups?.flat()
        .map(({ id }) => id);
    const names = { models: compileModelPatterns(['m']) };
    expect(order([translated('t'), account('own')])).toEqual(['own']);
    expect(order([translated('t', names), account('own', names)])).toEqual(['own', 't']);
    expect(order([translated('t'), account('own', { paused: true })])).toBeUndefined();
    expect(order([translated('t')])).toEqual(['t']);
    expect(groups([translated('t')], 'm')).toBeUndefined();
    // Its price list lacks the model, and the other one's has it: the other one does.
    expect(order([translated('t', { priceProvider: 'lists-it' }), account('own')], byList)?.[0]).toBe('t');
    expect(
      order(
        [translated('t', { priceProvider: 'lists-it' }), account('own', { priceProvider: null })],
        byList,
      )?.[0],
    ).toBe('own');
  });

  it('a caller who may not use the accounts of the format gets no translation instead (X-04, CF-13)', () => {
    const translated = account('t', { flavors: new Set(['other']) });
    const call = {
      flavor: 'chat',
      model: 'm',
      translates: () => true,
      allowed: (one: PoolAccount) => one === translated,
    };
    expect(findCandidates([translated, account('own')], call, never)).toEqual({
      groups: null,
      reason: 'none',
    });
    expect(findCandidates([translated], call, never).groups).toEqual([[translated]]);
  });

  it('tells apart that nothing serves the call and that everything is paused', () => {
    const call = { flavor: 'chat', model: 'm' };
    expect(findCandidates([], call, never)).toEqual({ groups: null, reason: 'none' });
    expect(findCandidates([account('a', { flavors: new Set(['other']) })], call, never)).toEqual({
      groups: null,
      reason: 'none',
    });
    expect(findCandidates([account('a', { paused: true })], call, never)).toEqual({
      groups: null,
      reason: 'paused',
    });
  });

  it('takes patterns literally but for the star', () => {
    const [pattern] = compileModelPatterns(['gpt-4.1*']);
    expect(pattern?.test('gpt-4.1-mini')).toBe(true);
    expect(pattern?.test('gpt-4x1')).toBe(false);
  });
});

describe('accounts that are bound (CF-02)', () => {
  const openai = { ...anthropicAdapter, id: 'other' };
  const accounts = [
    account('shared'),
    account('of-project', { boundTo: ['project:p'] }),
    account('of-key', { boundTo: ['key:k', 'project:q'] }),
    account('elsewhere', { adapter: openai }),
  ];
  const reach = (id: string, projectId: string) =>
    [...(createReachOf(accounts)({ id, projectId })?.ids ?? [])].sort();

  it('serve nobody else, and whoever has one uses no other of that kind', () => {
    expect(reach('x', 'none')).toEqual(['elsewhere', 'shared']);
    expect(reach('x', 'p')).toEqual(['elsewhere', 'of-project']);
    expect(reach('k', 'p')).toEqual(['elsewhere', 'of-key']);
    expect(reach('x', 'q')).toEqual(['elsewhere', 'of-key']);
  });

  it('cost nothing where there are none', () => {
    expect(createReachOf([account('a'), account('b')])({ id: 'k', projectId: 'p' })).toBeNull();
  });
});
