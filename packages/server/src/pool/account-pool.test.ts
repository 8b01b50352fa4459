import type { PoolStrategy } from '@tallygate/contract/api/pool';
import { describe, expect, it } from 'vitest';
import { anthropicAdapter } from '../providers/anthropic/adapter.ts';
import { createAccountPool, type PoolCall } from './account-pool.ts';
import { AccountStates } from './account-state.ts';
import { type Candidates, findCandidates, type PoolAccount } from './pool.ts';
import { readStateText, stateText } from './saved-state.ts';
import { UpstreamState } from './upstream-state.ts';

const SESSION_MS = 1_000;
const MODEL = 'claude-opus-4-1';

function setUp(strategy: PoolStrategy, specs: readonly Partial<PoolAccount>[]) {
  const states = new AccountStates();
  const accounts = specs.map(
    (spec, index): PoolAccount => ({
      id: `a${index}`,
      workspaceId: 'w',
      name: `a${index}`,
      preset: null,
      adapter: anthropicAdapter,
      priceProvider: 'p',
      target: { origin: 'https://example.com', allowPrivate: false },
      basePath: '',
      baseQuery: '',
      credentialHeaders: [],
      authorizer: null,
      flavors: new Set(['chat']),
      models: [],
      modelNames: [],
      priority: 1,
      share: 1,
      boundTo: [],
      paused: false,
      createdAtMs: index,
      state: states.of(`a${index}`),
      upstream: new UpstreamState(),
      ...spec,
    }),
  );
  const pool = createAccountPool({ strategy, sessionMs: SESSION_MS });
  const candidates = findCandidates(accounts, { flavor: 'chat', model: MODEL }, () => false) as Candidates & {
    groups: object;
  };
  const pick = (call: Partial<PoolCall> = {}) =>
    pool.pick(candidates, {
      ...{ model: MODEL, affinity: null, nowMs: 0, tried: [], pool: null, lastResort: true },
      ...call,
    });
  const name = (call: Partial<PoolCall> = {}) => pick(call).account?.id ?? null;
  return { accounts, pool, pick, name, states };
}
const three = [{}, {}, {}];
const distinct = (count: number, name: () => string | null) => new Set(Array.from({ length: count }, name));

describe('strategies (CF-05)', () => {
  it('session: a session keeps its account, sessions spread', () => {
    const { name } = setUp('session', three);
    const homes = Array.from({ length: 60 }, (_, i) => name({ affinity: `session-${i}` }));
    expect(new Set(homes).size).toBe(3);
    for (const [i, home] of homes.entries()) expect(name({ affinity: `session-${i}` })).toBe(home);
  });

  it('session: moves when its account rests, stays there for its time, and returns after it', () => {
    const { name, accounts } = setUp('session', three);
    const home = name({ affinity: 's' });
    const state = accounts.find((account) => account.id === home)?.state;
    state?.bench({ model: null, family: false, untilMs: 100, reason: 'x' }, 0);
    const moved = name({ affinity: 's', nowMs: 1 });
    expect(moved).not.toBe(home);
    expect(name({ affinity: 's', nowMs: 500 })).toBe(moved);
    expect(name({ affinity: 's', nowMs: SESSION_MS + 1 })).toBe(home);
  });

  it('priority: the first that works, and back to it as soon as it works again', () => {
    const { name, accounts } = setUp('priority', [{ priority: 1 }, { priority: 2 }]);
    expect(name()).toBe('a0');
    accounts[0]?.state.bench({ model: null, family: false, untilMs: 100, reason: 'x' }, 0);
    expect(name({ nowMs: 50 })).toBe('a1');
    expect(name({ nowMs: 100 })).toBe('a0');
  });

  it('weighted: each its share, without bursts', () => {
    const { name } = setUp('weighted', [{ share: 5 }, { share: 2 }, { share: 1 }]);
    const first = Array.from({ length: 8 }, () => name());
    expect(first.filter((id) => id === 'a0')).toHaveLength(5);
    expect(first.filter((id) => id === 'a1')).toHaveLength(2);
    expect(first.filter((id) => id === 'a2')).toHaveLength(1);
    expect(first.slice(0, 4).filter((id) => id === 'a0').length).toBeLessThan(4);
  });

  it('round-robin: each in turn, passing over what rests', () => {
    const { name, accounts } = setUp('round-robin', three);
    expect(new Set([name(), name(), name()]).size).toBe(3);
    accounts[1]?.state.bench({ model: null, family: false, untilMs: 100, reason: 'x' }, 0);
    expect(distinct(6, () => name())).toEqual(new Set(['a0', 'a2']));
  });

  it('least-used: by what the provider says is spent, then by calls under way', () => {
    const { name, accounts } = setUp('least-used', three);
    const spend = (index: number, utilization: number) =>
      accounts[index]?.state.learn(
        [
          {
            name: '5h',
            utilization,
            limit: null,
            remaining: null,
            resetAtMs: 1_000,
            status: null,
            observedAtMs: 0,
          },
        ],
        0,
      );
    spend(0, 0.9);
    spend(1, 0.2);
    spend(2, 0.5);
    expect(name()).toBe('a1');
    expect(name({ nowMs: 2_000 })).toBe('a0'); // every window has begun anew
    if (accounts[0]) accounts[0].state.inFlight = 1;
    expect(name({ nowMs: 2_000 })).toBe('a1');
  });

  it('lowest-latency: avoids the slow and the busy', () => {
    const { name, accounts, pool } = setUp('lowest-latency', three);
    const [slow, fast, fastest] = accounts as [PoolAccount, PoolAccount, PoolAccount];
    pool.served(slow, 900, 0);
    pool.served(fast, 90, 0);
    pool.served(fastest, 30, 0);
    expect(name()).toBe('a2');
    fastest.state.inFlight = 5;
    expect(name()).toBe('a1');
  });

  it('can be changed while running', () => {
    const { name, pool } = setUp('priority', three);
    expect(distinct(6, () => name())).toEqual(new Set(['a0']));
    pool.setStrategy('round-robin');
    expect(new Set([name(), name(), name()]).size).toBe(3);
  });

  it.each<PoolStrategy>(['session', 'priority', 'weighted', 'round-robin', 'least-used', 'lowest-latency'])(
    '%s never chooses a limited account while another is free',
    (strategy) => {
      const { name, accounts } = setUp(strategy, three);
      for (const index of [0, 2])
        accounts[index]?.state.bench({ model: null, family: false, untilMs: 9, reason: 'x' }, 0);
      for (let i = 0; i < 20; i++) expect(name({ affinity: `s${i}` })).toBe('a1');
    },
  );
});

describe('the circuit of an account (CF-07)', () => {
  it('rests briefly after one failure, opens after three in a row, and lets one call try', () => {
    const { name, accounts, pool } = setUp('priority', [{ priority: 1 }, { priority: 2 }]);
    const [first] = accounts as [PoolAccount];
    let nowMs = 0;
    for (const restMs of [1_000, 1_000, 10_000, 20_000]) {
      pool.failed(first, nowMs, nowMs);
      expect(name({ nowMs: nowMs + restMs - 1 })).toBe('a1');
      nowMs += restMs;
      expect(name({ nowMs })).toBe('a0');
      if (restMs >= 10_000) expect(name({ nowMs })).toBe('a1'); // the one that tries is under way
    }
    pool.served(first, 5, nowMs);
    expect([name({ nowMs }), name({ nowMs })]).toEqual(['a0', 'a0']);
  });

  it('counts calls that fail together once', () => {
    const { accounts, pool } = setUp('priority', three);
    const [first] = accounts as [PoolAccount];
    for (let i = 0; i < 100; i++) pool.failed(first, 0, 10);
    expect(first.state.failures).toBe(1);
  });

  it('tries what failed rather than refuse, but not what its provider limits', () => {
    const { name, pick, accounts, pool } = setUp('priority', three);
    for (const account of accounts) pool.failed(account, 0, 0);
    expect(name({ nowMs: 1 })).toBe('a0');
    for (const [index, { state }] of accounts.entries())
      state.bench({ model: null, family: false, untilMs: 5_000 + index, reason: 'x' }, 0);
    expect(pick({ nowMs: 1 })).toEqual({ account: null, untilMs: 5_000 });
  });
});

describe('pools with a strategy each (CF-05)', () => {
  it('take turns apart from one another, and a change of strategy counts from the next call on', () => {
    const { name } = setUp('priority', three);
    const pool = (id: string, strategy: PoolStrategy) => ({ pool: { id, strategy } });
    const a = pool('a', 'round-robin');
    expect([name(a), name(a), name(), name(a)]).toEqual(['a1', 'a2', 'a0', 'a0']);
    expect(name(pool('b', 'round-robin'))).toBe('a1');
    expect(name(pool('a', 'priority'))).toBe('a0');
  });

  it('drain-soonest-reset: the account whose longest window ends first; unknown ones last', () => {
    const { name, accounts } = setUp('drain-soonest-reset', three);
    expect(name()).toBe('a0');
    const window = (windowName: string, resetAtMs: number) => ({
      ...{ name: windowName, utilization: 0.5, limit: null, remaining: null, status: null },
      ...{ resetAtMs, observedAtMs: 0 },
    });
    accounts[0]?.state.learn([window('5h', 10), window('7d', 900)], 0);
    accounts[1]?.state.learn([window('5h', 50), window('7d', 300)], 0);
    expect(name({ nowMs: 1 })).toBe('a1');
    accounts[1]?.state.bench({ model: null, family: false, untilMs: 300, reason: '7d' }, 1);
    expect(name({ nowMs: 2 })).toBe('a0');
    expect(name({ nowMs: 400 })).toBe('a0');
    expect(name({ nowMs: 901 })).toBe('a0'); // all over: the first
  });
});

describe('the circuit of an upstream (CF-07)', () => {
  it('opens when several accounts fail with no success between: another upstream is tried first', () => {
    const down = new UpstreamState();
    const { name, accounts, pool } = setUp('priority', [
      { priority: 1, upstream: down },
      { priority: 2, upstream: down },
      { priority: 3, upstream: down },
      { priority: 4 },
    ]);
    const fail = (index: number, nowMs: number) => pool.failed(accounts[index] as PoolAccount, nowMs, nowMs);
    fail(0, 0);
    fail(1, 0);
    expect(name({ nowMs: 1 })).toBe('a2'); // two of them may have troubles of their own
    fail(0, 1_000);
    fail(1, 1_000);
    fail(0, 2_000);
    expect(name({ nowMs: 2_001 })).toBe('a3');
    expect(name({ nowMs: 2_001, tried: accounts.slice(3) })).toBe('a0'); // better tried than refused
    pool.served(accounts[2] as PoolAccount, 5, 2_002);
    expect(name({ nowMs: 2_003 })).toBe('a1');
  });

  it('stays closed for one account that fails alone, which has a circuit of its own', () => {
    const shared = new UpstreamState();
    const { name, accounts, pool } = setUp('priority', [{ upstream: shared }, { upstream: shared }]);
    for (let i = 0; i < 20; i++) {
      const nowMs = i * 400_000;
      pool.failed(accounts[0] as PoolAccount, nowMs, nowMs);
    }
    expect(name({ nowMs: 19 * 400_000 + 1 })).toBe('a1');
    expect(shared.restUntilMs).toBe(0);
  });
});

it('says at each edge that an account turned, and says it once (CF-04, TW-16)', () => {
  const { accounts, pool, states } = setUp('priority', three);
  const [account] = accounts as [PoolAccount];
  let turns = 0;
  states.onTurn(() => {
    turns += 1;
  });
  const turnsOf = (act: () => void): number => {
    const before = turns;
    act();
    return turns - before;
  };
  const answer = (status: number, limits: readonly string[] = []) =>
    pool.answered(account, { status, limits, model: MODEL, nowMs: 0 });
  const fail = (nowMs: number) => () => pool.failed(account, nowMs, nowMs);
  expect(turnsOf(() => answer(401))).toBe(1);
  expect(turnsOf(() => answer(401))).toBe(0); // it is known
  expect(turnsOf(() => pool.served(account, 1, 0))).toBe(1);
  expect(turnsOf(() => pool.served(account, 1, 0))).toBe(0);
  expect([fail(0), fail(10_000)].map(turnsOf)).toEqual([0, 0]); // a stumble, and another
  expect([fail(20_000), fail(60_000)].map(turnsOf)).toEqual([1, 0]); // the circuit opens, and stays open
  expect(turnsOf(() => pool.served(account, 1, 0))).toBe(1);
  const hour = { model: null, family: false, untilMs: 3_600_000, reason: 'retry_after' };
  expect(turnsOf(() => account.state.bench({ ...hour, model: MODEL }, 0))).toBe(0); // the others of its models go on
  expect(turnsOf(() => account.state.bench(hour, 0))).toBe(1);
  expect(turnsOf(() => account.state.bench({ ...hour, untilMs: 7_200_000 }, 0))).toBe(0);
  expect(turnsOf(() => account.state.reset())).toBe(1);
});

it('what is known of an account survives as text, and what is no such text is nothing (CF-06)', () => {
  const { accounts } = setUp('priority', three);
  const [{ state }] = accounts as [PoolAccount];
  state.bench({ model: 'opus', family: true, untilMs: 77, reason: 'seven_day_opus' }, 0);
  const restored = new AccountStates().of('a0');
  restored.restore(readStateText(stateText(state)) ?? expect.fail());
  expect(restored.saved()).toEqual(state.saved());
  for (const text of ['', 'null', '[]', '{"benches":[{"untilMs":"x"}]}'])
    expect(readStateText(text)?.benches ?? []).toEqual([]);
});
