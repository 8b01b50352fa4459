import { type AlertWorld, createAlertWorld } from '@tallygate/testkit/alert-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../store/store.ts';

let store: Store;
let world: AlertWorld;
beforeEach(async () => {
  store = await openTestStore();
  world = await createAlertWorld(store);
});
afterEach(() => store.close());

const lastEvent = async () => (await store.alerts.listAlertEvents({ workspaceId: null, limit: 1 }))[0];

describe('rules that end while they fire (TW-16)', () => {
  it('tell each subject apart, in its environment, once whoever judges', async () => {
    const rule = await world.rule();
    await world.spend('production', 10);
    await world.spend('staging', 11);
    await world.evaluator().evaluate();
    await store.alerts.updateAlertRule(rule.id, { enabled: false });
    const evaluators = [world.evaluator(), world.evaluator()];
    const results = await Promise.all(evaluators.map((one) => one.evaluate()));
    expect(results.reduce((sum, { events }) => sum + events, 0)).toBe(2);
    const events = await store.alerts.listAlertEvents({ workspaceId: null, limit: 9 });
    const closed = events.filter(({ state }) => state === 'closed');
    expect(closed.map(({ environment, title }) => `${environment}: ${title}`).sort()).toEqual([
      'production: No longer watched: Spend in production reached $10.00 this hour',
      'staging: No longer watched: Spend in staging reached $11.00 this hour',
    ]);
    expect(await store.alerts.listAlertStates()).toMatchObject([{ firing: false }, { firing: false }]);
  });

  it('say nothing where the rule tells no recovery, and nothing of what did not fire', async () => {
    const quiet = await world.rule({ notifyRecovery: false });
    const calm = await world.rule({ enabled: false });
    await world.spend('production', 10);
    await world.evaluator().evaluate();
    await store.alerts.updateAlertRule(quiet.id, { enabled: false });
    expect(await world.evaluator().evaluate()).toEqual({ rules: 0, events: 0 });
    await world.evaluator().retire(calm);
    expect(await world.told()).toHaveLength(1);
    expect((await store.alerts.listAlertStates()).filter(({ firing }) => firing)).toEqual([]);
  });

  it('fire anew when they are switched on again and it still holds', async () => {
    const rule = await world.rule({ cooldownMs: 0 });
    await world.spend('production', 10);
    for (const enabled of [true, false, true]) {
      await store.alerts.updateAlertRule(rule.id, { enabled });
      await world.evaluator().evaluate();
    }
    expect((await world.told()).map((line) => line.split(':')[0])).toEqual(['firing', 'closed', 'firing']);
  });

  it('a removal waits for the evaluation under way, so that nothing fires after it', async () => {
    const rule = await world.rule();
    await world.spend('production', 10);
    const evaluator = world.evaluator();
    const under = evaluator.evaluate();
    await store.alerts.updateAlertRule(rule.id, { enabled: false });
    await evaluator.retire(rule);
    await under;
    expect((await world.told()).map((line) => line.split(':')[0])).toEqual(['firing', 'closed']);
    expect((await lastEvent())?.text).toContain('was removed while this fired');
  });
});
