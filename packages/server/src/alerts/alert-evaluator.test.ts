import { type AlertWorld, createAlertWorld } from '@tallygate/testkit/alert-world';
import { postgresTarget, type StoreTarget, sqliteTarget } from '@tallygate/testkit/store-target';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertChannelRow } from '../store/ports/alerts.ts';
import type { Store } from '../store/store.ts';
import { engineFor } from '../wire/engines.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const channel: AlertChannelRow = {
  id: 'c1',
  workspaceId: 'ws',
  name: 'ops',
  kind: 'webhook',
  config: '{}',
  sealedSecret: null,
  destination: 'x',
  allowPrivate: false,
  template: null,
  enabled: true,
  createdAtMs: 1,
};

describe('edges (TW-16)', () => {
  let store: Store;
  let world: AlertWorld;
  beforeEach(async () => {
    store = await openTestStore();
    world = await createAlertWorld(store);
  });
  afterEach(() => store.close());

  it('tells once when a limit is reached, and once when the next window begins', async () => {
    const evaluator = world.evaluator();
    await world.rule();
    await world.spend('production', 9.99);
    expect(await evaluator.evaluate()).toEqual({ rules: 1, events: 0 });
    await world.spend('production', 0.01);
    for (let turn = 0; turn < 3; turn += 1) await evaluator.evaluate();
    expect(await world.told()).toEqual(['firing: Spend in production reached $10.00 this hour']);
    world.clock.ms += HOUR;
    for (let turn = 0; turn < 3; turn += 1) await evaluator.evaluate();
    expect((await world.told())[1]).toBe('recovered: Spend in production is $0.00 this hour');
    expect(await world.told()).toHaveLength(2);
  });

  it('names who and what brings it about, and since when', async () => {
    await world.rule({ severity: 'critical' });
    await world.spend('production', 12, { apiKeyId: 'big', modelServed: 'opus' });
    await world.spend('production', 1, { apiKeyId: 'small', modelServed: 'haiku' });
    await world.evaluator().evaluate();
    const [event] = await store.alerts.listAlertEvents({ workspaceId: null, limit: 1 });
    expect(event).toMatchObject({ severity: 'critical', environment: 'production', state: 'firing' });
    expect(event?.facts).toContainEqual({ label: 'Most by key', value: 'big: $12.00, small: $1.00' });
    expect(event?.facts).toContainEqual({ label: 'Most by model', value: 'opus: $12.00, haiku: $1.00' });
  });

  it('environments are never added up (TW-20)', async () => {
    await world.rule();
    await world.spend('production', 6);
    await world.spend('staging', 6);
    expect(await world.evaluator().evaluate()).toMatchObject({ events: 0 });
    await world.spend('staging', 4);
    await world.evaluator().evaluate();
    expect(await world.told()).toEqual(['firing: Spend in staging reached $10.00 this hour']);
  });

  it('a rule of one environment hears nothing of the other (TW-20)', async () => {
    await world.rule({ environment: 'production' });
    await world.spend('staging', 100);
    expect(await world.evaluator().evaluate()).toMatchObject({ events: 0 });
  });

  it('a cooldown puts the next notice off, and makes it then if it still holds', async () => {
    const condition = {
      kind: 'usage' as const,
      metric: 'spend' as const,
      window: 'last_15_minutes' as const,
      thresholdUsd: '10',
      minRequests: 20,
      timeZone: 'UTC',
    };
    await world.rule({ condition, cooldownMs: HOUR });
    const evaluator = world.evaluator();
    const states = async () => (await world.told()).map((line) => line.split(':')[0]);
    await world.spend('production', 10);
    await evaluator.evaluate();
    world.clock.ms += 20 * MINUTE;
    await evaluator.evaluate();
    expect(await states()).toEqual(['firing', 'recovered']);
    await world.spend('production', 10);
    await evaluator.evaluate();
    expect(await states()).toEqual(['firing', 'recovered']);
    world.clock.ms += 39 * MINUTE;
    await world.spend('production', 10);
    await evaluator.evaluate();
    expect(await states()).toEqual(['firing', 'recovered']);
    world.clock.ms += MINUTE;
    await evaluator.evaluate();
    expect(await states()).toEqual(['firing', 'recovered', 'firing']);
  });

  it('makes a delivery for each channel that is on, whatever came of earlier ones', async () => {
    await store.alerts.insertAlertChannel(channel);
    await store.alerts.insertAlertChannel({ ...channel, id: 'c2', name: 'off', enabled: false });
    await world.rule({ channelIds: ['c1', 'c2', 'gone'], cooldownMs: 0 });
    await world.spend('production', 10);
    await world.evaluator().evaluate();
    expect(await store.alerts.listDeliveries({ workspaceId: null, limit: 10 })).toMatchObject([
      { channelId: 'c1', status: 'pending' },
    ]);
    world.clock.ms += HOUR;
    await world.evaluator().evaluate();
    expect(await store.alerts.listDeliveries({ workspaceId: null, limit: 10 })).toHaveLength(2); // the first is still on its way
  });

  it('of several steps of a budget passed at once the highest is told, and later ones one by one', async () => {
    const budget = { id: 'b', name: 'web', environment: null, measure: 'usd' as const, limit: 100 };
    let spent = 80;
    world.sources.budgets = async () => [
      { ...budget, spent, held: 0, sliding: false, startMs: 0, endMs: Number.POSITIVE_INFINITY },
    ];
    await world.rule({ condition: { kind: 'budget', percents: [50, 75, 90, 100], basis: 'spent' } });
    const evaluator = world.evaluator();
    for (const next of [80, 85, 95, 100, 120]) {
      spent = next;
      await evaluator.evaluate();
    }
    spent = 0;
    await evaluator.evaluate();
    expect(await world.told()).toEqual([
      'firing: Budget web: 80 % spent',
      'firing: Budget web: 95 % spent',
      'firing: Budget web: 100 % spent',
      'recovered: Budget web is below 100 % again',
    ]);
  });

  it('tells nothing of a recovery when the rule says so', async () => {
    await world.rule({ notifyRecovery: false });
    await world.spend('production', 10);
    const evaluator = world.evaluator();
    await evaluator.evaluate();
    world.clock.ms += HOUR;
    await evaluator.evaluate();
    expect(await world.told()).toHaveLength(1);
    expect(await store.alerts.listAlertStates()).toMatchObject([{ firing: false, version: 2 }]);
  });

  it('what is found no more is over, and a rule that is off judges nothing', async () => {
    const finding = { rule: 'failed_by_address', about: '203.0.113.9', severity: 'warning' as const };
    let found = true;
    world.sources.findings = async () =>
      found ? [{ ...finding, message: 'Many failures.', advice: 'Block it.' }] : [];
    const rule = await world.rule({ condition: { kind: 'security', minSeverity: 'warning' } });
    const evaluator = world.evaluator();
    await evaluator.evaluate();
    found = false;
    await store.alerts.updateAlertRule(rule.id, { enabled: false });
    expect(await evaluator.evaluate()).toEqual({ rules: 0, events: 1 });
    expect(evaluator.watching).toBe(false);
    await store.alerts.updateAlertRule(rule.id, { enabled: true });
    await evaluator.evaluate();
    expect(await world.told()).toEqual([
      'firing: Many failures.',
      'closed: No longer watched: Many failures.',
    ]);
  });

  it('a rule that cannot be read does not silence the others', async () => {
    await world.rule({ condition: { kind: 'security', minSeverity: 'warning' } });
    world.sources.findings = () => Promise.reject(new Error('broken'));
    await world.rule();
    await world.spend('production', 10);
    expect(await world.evaluator().evaluate()).toEqual({ rules: 2, events: 1 });
  });

  it('what is unusual says what, how far, since when and who (CF-13)', async () => {
    const start = world.clock.ms;
    for (let hours = 14 * 24; hours > 0; hours -= 1) {
      world.clock.ms = start - hours * HOUR;
      await world.spend('production', 1, { apiKeyId: 'calm' });
    }
    world.clock.ms = start;
    await world.rule({
      condition: { kind: 'anomaly', metric: 'spend', by: 'none', sensitivity: 'medium' },
    });
    const evaluator = world.evaluator();
    await world.spend('production', 1.2, { apiKeyId: 'calm' });
    expect(await evaluator.evaluate({ all: true })).toMatchObject({ events: 0 });
    await world.spend('production', 30, { apiKeyId: 'runaway' });
    await evaluator.evaluate({ all: true });
    const [event] = await store.alerts.listAlertEvents({ workspaceId: null, limit: 1 });
    expect(event).toMatchObject({ state: 'firing', environment: 'production', sinceMs: start });
    expect(event?.text).toContain('31.2 times the usual $1.00');
    expect(event?.facts).toContainEqual({
      label: 'Compared with',
      value: 'the same hour of the day, 14 times',
    });
    expect(event?.facts.find(({ label }) => label === 'Most of it by key')?.value).toMatch(
      /^runaway: \$30\.00 \(on average \$0\.00\)/,
    );
  });

  it('looks for what is unusual by key apart, and only now and then', async () => {
    const start = world.clock.ms;
    for (let hours = 8 * 24; hours > 0; hours -= 1) {
      world.clock.ms = start - hours * HOUR;
      await world.spend('production', 5, { apiKeyId: 'large' });
      await world.spend('production', 0.01, { apiKeyId: 'little' });
    }
    world.clock.ms = start;
    await world.rule({
      condition: { kind: 'anomaly', metric: 'spend', by: 'key', sensitivity: 'medium' },
    });
    const evaluator = world.evaluator();
    await evaluator.evaluate();
    await world.spend('production', 5, { apiKeyId: 'large' });
    await world.spend('production', 2, { apiKeyId: 'little' });
    await evaluator.evaluate();
    expect(await world.told()).toEqual([]);
    world.clock.ms += 5 * MINUTE;
    await evaluator.evaluate();
    expect(await world.told()).toEqual([
      'firing: Spend of key little (production) is unusual: $2.00 in an hour',
    ]);
  });
});

describe.each<[string, () => Promise<StoreTarget>]>([
  ['one file', async () => sqliteTarget()],
  ['a database server', postgresTarget],
])('many evaluators on one store: %s (TW-16)', { timeout: 120_000 }, (_name, targetOf) => {
  const opened: Store[] = [];
  let target: StoreTarget;
  beforeEach(async (context) => {
    target = await targetOf();
    if (target.skipped !== null) context.skip();
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await target.cleanUp();
  });
  afterAll(() => target.cleanUp());

  async function open(url: string): Promise<Store> {
    const store = await (await engineFor(url)).open(url, { role: 'main' });
    opened.push(store);
    await store.migrate();
    return store;
  }

  it('make each edge exactly once, with its deliveries', async () => {
    const url = await target.fresh();
    const [first, second] = [await open(url), await open(url)];
    const world = await createAlertWorld(first);
    await first.alerts.insertAlertChannel(channel);
    for (let index = 0; index < 3; index += 1)
      await world.rule({ name: `r${index}`, channelIds: ['c1'], cooldownMs: 0 });
    const evaluators = [first, second, first, second].map((store) => world.evaluator(store));
    for (let round = 1; round <= 4; round += 1) {
      world.clock.ms += HOUR;
      await Promise.all(evaluators.map((evaluator) => evaluator.evaluate())); // the last window is over
      await world.spend('production', 10);
      await world.spend('staging', 10);
      await Promise.all(evaluators.flatMap((evaluator) => [evaluator.evaluate(), evaluator.evaluate()]));
      const events = await first.alerts.listAlertEvents({ workspaceId: null, limit: 200 });
      const firing = events.filter(({ state }) => state === 'firing').length;
      const recovered = events.filter(({ state }) => state === 'recovered').length;
      expect([firing, recovered], `round ${round}`).toEqual([round * 6, (round - 1) * 6]);
      expect(await first.alerts.listDeliveries({ workspaceId: null, limit: 200 })).toHaveLength(
        events.length,
      );
    }
  });

  it('a process that does not see an account fail does not call it over', async () => {
    const url = await target.fresh();
    const [first, second] = [await open(url), await open(url)];
    if (!first.capabilities.multiProcess) return;
    const world = await createAlertWorld(first);
    await world.rule({ condition: { kind: 'account', conditions: ['resting'] } });
    const account = { id: 'a', name: 'one' };
    world.sources.accounts = async () => [{ ...account, condition: 'resting' }];
    const sees = world.evaluator(first);
    world.sources.accounts = async () => [{ ...account, condition: null }];
    const sleeps = world.evaluator(second);
    for (let minute = 0; minute < 20; minute += 1) {
      await sees.evaluate();
      await sleeps.evaluate();
      world.clock.ms += MINUTE;
    }
    expect(await world.told()).toHaveLength(1);
    world.clock.ms += 5 * MINUTE;
    await sleeps.evaluate();
    expect(await world.told()).toHaveLength(2);
  });

  it('an edge whose event cannot be stored is not made, and made the next time', async () => {
    const store = await open(await target.fresh());
    const world = await createAlertWorld(store);
    await world.rule();
    await world.spend('production', 10);
    const broken = withMethods(store.alerts, {
      recordAlertEdge: () => Promise.reject(new Error('the database went away')),
    });
    const lame = world.evaluator(withMethods(store, { alerts: broken }));
    expect(await lame.evaluate()).toMatchObject({ events: 0 });
    expect(await world.evaluator().evaluate()).toMatchObject({ events: 1 });
  });
});
