import { type AlertWorld, createAlertWorld } from '@tallygate/testkit/alert-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIdSource } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Lease } from '../store/ports/leases.ts';
import type { Store } from '../store/store.ts';
import { AlertEvaluator } from './alert-evaluator.ts';

describe('rules judged by one node for all (TW-16, X-08)', () => {
  let store: Store;
  let world: AlertWorld;
  beforeEach(async () => {
    store = await openTestStore();
    world = await createAlertWorld(store);
  });
  afterEach(() => store.close());

  const evaluator = (judges: 'shared' | 'local') =>
    new AlertEvaluator({
      ...{ store: store.alerts, sources: world.sources, clock: world.clock, judges },
      ...{ newId: createIdSource(world.clock), logger: silentLogger, localKinds: ['budget'] as const },
    });
  async function lease(nowMs: number): Promise<Lease> {
    const wanted = { holder: `h${nowMs}`, nowMs, expiresAtMs: nowMs + 1_000 };
    const got = await store.leases.acquireLease('jobs', wanted);
    if (got === null) throw new Error('no lease');
    return got;
  }

  it('each kind of rule is judged either for all or by each for itself', async () => {
    world.sources.budgets = async () => [
      {
        ...{ id: 'b', name: 'web', environment: null, measure: 'usd' as const, limit: 100 },
        ...{ sliding: false, spent: 99, held: 0, startMs: 0, endMs: Number.POSITIVE_INFINITY },
      },
    ];
    await world.rule({ condition: { kind: 'budget', percents: [50], basis: 'spent' } });
    await world.rule();
    await world.spend('production', 10);
    expect(await evaluator('shared').evaluate()).toEqual({ rules: 1, events: 1 });
    expect(await world.told()).toEqual([expect.stringContaining('production')]);
    expect(await evaluator('local').evaluate()).toEqual({ rules: 1, events: 1 });
    expect(await world.told()).toHaveLength(2);
  });

  it('one whose lease was lost while it judged tells nobody; its successor does, once', async () => {
    await world.rule();
    await world.spend('production', 10);
    const paused = await lease(1_000);
    const successor = await lease(9_000);
    expect(await evaluator('shared').evaluate({ fence: paused })).toEqual({ rules: 1, events: 0 });
    expect(await world.told()).toEqual([]);
    expect(await store.alerts.listAlertStates()).toEqual([]);
    expect(await evaluator('shared').evaluate({ fence: successor })).toEqual({ rules: 1, events: 1 });
    expect(await evaluator('shared').evaluate({ fence: successor })).toEqual({ rules: 1, events: 0 });
    expect(await world.told()).toHaveLength(1);
  });
});
