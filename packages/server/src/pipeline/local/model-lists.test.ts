import { describe, expect, it } from 'vitest';
import { AccountState } from '../../pool/account-state.ts';
import type { PoolAccount } from '../../pool/pool.ts';
import { createModelLists, LIST_FAILED_MS, LIST_LIFE_MS } from './model-lists.ts';

const accountOf = (id: string, change: Partial<PoolAccount> = {}) =>
  ({ id, models: [], modelNames: [], state: new AccountState(id, 1), ...change }) as PoolAccount;

/** Upstreams that answer when they are told to. */
function world(waitMs?: number) {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const asked: { id: string; answer(names: string[]): void }[] = [];
  const lists = createModelLists({
    clock,
    ...(waitMs === undefined ? {} : { waitMs }),
    ask: (account) => {
      const { promise, resolve } = Promise.withResolvers<readonly string[]>();
      asked.push({ id: account.id, answer: resolve });
      return promise;
    },
  });
  return { clock, asked, lists };
}

describe('lists of models (X-04)', () => {
  it('are asked for once, however many want them, and kept for their life', async () => {
    const { clock, asked, lists } = world();
    const account = accountOf('a');
    const waits = Array.from({ length: 50 }, () => lists.refresh([account]));
    expect(asked).toHaveLength(1);
    asked[0]?.answer(['m1', 'm2']);
    await Promise.all(waits);
    expect(account.state.models).toEqual(['m1', 'm2']);
    clock.ms += LIST_LIFE_MS - 1;
    expect([lists.refresh([account]), asked.length]).toEqual([null, 1]);
  });

  it('that ran out are renewed beside the answer: what was known serves meanwhile', async () => {
    const { clock, asked, lists } = world();
    const account = accountOf('a');
    account.state.listed(['old'], clock.ms);
    clock.ms += LIST_LIFE_MS;
    expect([lists.refresh([account]), asked.length]).toEqual([null, 1]);
    expect([lists.refresh([account]), asked.length]).toEqual([null, 1]);
    asked[0]?.answer(['new']);
    await expect.poll(() => account.state.models).toEqual(['new']);
  });

  it('that did not come are not asked for again at once, and what was known stays', async () => {
    const { clock, asked, lists } = world();
    const account = accountOf('a');
    const first = lists.refresh([account]);
    asked[0]?.answer([]);
    await first;
    expect([account.state.models, lists.refresh([account]), asked.length]).toEqual([null, null, 1]);
    clock.ms += LIST_FAILED_MS;
    const second = lists.refresh([account]);
    asked[1]?.answer(['m']);
    await second;
    expect(account.state.models).toEqual(['m']);
  });

  it('hold nobody up for longer than the bound', async () => {
    const { asked, lists } = world(1);
    await lists.refresh([accountOf('slow')]);
    expect(asked).toHaveLength(1);
  });

  it('are bounded: so many upstreams at a time, so many names, none that is endless', async () => {
    const { asked, lists } = world();
    const accounts = Array.from({ length: 40 }, (_, i) => accountOf(`a${i}`));
    const waits = lists.refresh(accounts);
    expect(asked).toHaveLength(8);
    for (const { answer } of asked)
      answer(['x'.repeat(201), ...Array.from({ length: 6_000 }, (_, i) => `m${i}`)]);
    await waits;
    expect(accounts[0]?.state.models).toHaveLength(5_000);
    expect(accounts[0]?.state.models?.[0]).toBe('m0');
    void lists.refresh(accounts);
    expect(asked).toHaveLength(16);
  });

  it('are not asked for where the patterns name every model', () => {
    const { asked, lists } = world();
    const named = accountOf('a', { models: [/^m$/], modelNames: ['m'] });
    expect([lists.refresh([named]), asked.length]).toEqual([null, 0]);
  });
});
