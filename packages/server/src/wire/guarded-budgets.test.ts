import { describe, expect, it } from 'vitest';
import type { Budget, UpperBound } from '../limits/budget.ts';
import { BudgetEngine } from '../limits/budget-engine.ts';
import type { Decision } from '../limits/limit-state.ts';
import { guardBudgets } from './guarded-budgets.ts';

const BUDGET: Budget = {
  ...{ id: 'b', workspaceId: 'w', scope: [], measure: 'usd', limit: 100, window: 'total' },
  ...{
    windowMs: null,
    sliding: false,
    timeZone: 'UTC',
    mode: 'hard',
    unpriced: 'refuse',
    onOutage: 'closed',
  },
  ...{ provisionalNanoUsdPerMtok: null, createdAtMs: 0 },
};
const BOUND: UpperBound = {
  ...{ outputTokens: 0, minOutputTokens: null, costNanoUsd: () => 10 },
  ...{ tokens: () => 10, weightedTokens: () => 10 },
};
const scopes = {
  ...{ workspaceId: 'w', keyId: 'k', userId: 'u', sessionId: 's', projectId: 'p' },
  ...{ model: 'm', provider: 'p', accountId: 'a', tags: [] },
};

function setUp(...budgets: Partial<Budget>[]) {
  const engine = new BudgetEngine();
  for (const [index, change] of budgets.entries())
    engine.add(
      { ...BUDGET, id: `b${index}`, ...change },
      { nowMs: 0, countsFromMs: Number.NEGATIVE_INFINITY },
    );
  const state = { hold: true };
  const guarded = guardBudgets(engine, () => state.hold);
  let ids = 0;
  const ask = () => guarded.reserve({ id: `r${ids++}`, startedAtMs: 0, scopes }, () => BOUND) as Decision;
  const held = (id: string) => engine.status(id, 0)?.window.held;
  return { guarded, state, ask, held };
}

describe('budgets while this process does not see all that is spent (X-02, X-08)', () => {
  it('a hard one that is closed then lets nothing through and keeps nothing held; it goes on afterwards', () => {
    const { state, ask, held } = setUp({ onOutage: 'open' }, {});
    expect(ask()).toHaveProperty('hold');
    state.hold = false;
    expect(ask()).toMatchObject({ unavailable: { id: 'b1' } });
    expect([held('b0'), held('b1')]).toEqual([10, 10]);
    state.hold = true;
    expect(ask()).toHaveProperty('hold');
  });

  it.each([
    ['one that is open then', { onOutage: 'open' as const }],
    ['one that only warns', { mode: 'soft' as const }],
  ])('%s lets through', (_name, change) => {
    const { state, ask } = setUp(change);
    state.hold = false;
    expect(ask()).toHaveProperty('hold');
  });

  it('a refusal stays what it is, and without budgets there is nothing to guard', () => {
    const { state, ask, guarded } = setUp({ limit: 5 });
    state.hold = false;
    expect(ask()).toHaveProperty('refusal');
    expect(guarded.active).toBe(true);
    expect(setUp().guarded.active).toBe(false);
    const none = setUp();
    none.state.hold = false;
    expect(none.ask()).toBeNull();
  });
});
