import { alertCondition } from '@tallygate/contract/api/alerts';
import { type AlertWorld, createAlertWorld } from '@tallygate/testkit/alert-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertRuleRow } from '../store/ports/alerts.ts';
import type { Store } from '../store/store.ts';
import { REHEARSAL_DAYS, rehearse } from './rule-rehearsal.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let store: Store;
let world: AlertWorld;
let nowMs: number;
beforeEach(async () => {
  store = await openTestStore();
  world = await createAlertWorld(store);
  nowMs = world.clock.ms + HOUR / 2;
});
afterEach(() => store.close());

const at = (hoursAgo: number, dollars: number, change: object = {}) => {
  world.clock.ms = nowMs - hoursAgo * HOUR;
  return world.spend('production', dollars, change);
};
function rule(condition: object, change: Partial<AlertRuleRow> = {}) {
  return {
    ...{ workspaceId: 'ws', environment: null, filter: {}, cooldownMs: 0 },
    condition: alertCondition.parse(condition),
    ...change,
  };
}
const spend = (window: string, thresholdUsd: string) => ({
  ...{ kind: 'usage', metric: 'spend' },
  ...{ window, thresholdUsd },
});
async function toldAt(condition: object, change: Partial<AlertRuleRow> = {}): Promise<number[]> {
  const result = await rehearse(rule(condition, change), world.sources, nowMs);
  if (!result.possible) throw new Error(result.reason);
  return result.told.map(({ atMs }) => Math.round((nowMs - atMs) / HOUR));
}

describe('what a rule would have told (TW-16)', () => {
  it('counts each edge: an hour that reached the limit is one, and so is the next after a calm hour', async () => {
    for (const hoursAgo of [100, 99, 50, 3]) await at(hoursAgo, 10);
    await at(51, 9.99);
    expect(await toldAt(spend('hour', '10'))).toEqual([100, 50, 3]);
    expect(await toldAt(spend('hour', '10.01'))).toEqual([]);
  });

  it('adds up days and months from their beginning, and what came before the days it looks at', async () => {
    await at(2 * 24, 6);
    await at(2 * 24 - 1, 6);
    expect(await toldAt(spend('day', '10'))).toHaveLength(1);
    await at((REHEARSAL_DAYS + 5) * 24, 90);
    expect(await toldAt(spend('month', '100'))).toHaveLength(1);
    expect(await toldAt(spend('last_day', '10'))).toHaveLength(1);
  });

  it('keeps environments apart and obeys filters and the cool-down (TW-20)', async () => {
    for (const hoursAgo of [30, 20, 10]) await at(hoursAgo, 6, { apiKeyId: 'k1' });
    world.clock.ms = nowMs - 20 * HOUR;
    await world.spend('staging', 6);
    expect(await toldAt(spend('hour', '10'))).toEqual([]);
    expect(await toldAt(spend('hour', '5'))).toHaveLength(4);
    expect(await toldAt(spend('hour', '5'), { environment: 'staging' })).toHaveLength(1);
    expect(await toldAt(spend('hour', '5'), { filter: { keys: ['k1'] } })).toHaveLength(3);
    expect(await toldAt(spend('hour', '5'), { filter: { keys: ['k1'] }, cooldownMs: DAY })).toHaveLength(1);
  });

  it('knows rates and percentiles of the hours', async () => {
    for (let index = 0; index < 20; index += 1)
      await at(5, 0, { latencyMs: 30_000, status: index < 5 ? 'upstream_error' : 'ok' });
    const usage = (metric: string, threshold: number) => ({
      kind: 'usage',
      metric,
      window: 'hour',
      threshold,
    });
    expect(await toldAt(usage('error_rate', 25))).toHaveLength(1);
    expect(await toldAt(usage('error_rate', 26))).toEqual([]);
    expect(await toldAt(usage('latency_p95', 20_000))).toHaveLength(1);
  });

  it('finds what was unusual, once for its hours', async () => {
    for (let hoursAgo = 20 * 24; hoursAgo > 0; hoursAgo -= 1) await at(hoursAgo, 1);
    await at(40, 30);
    await at(39, 30);
    expect(await toldAt({ kind: 'anomaly', metric: 'spend' })).toHaveLength(1);
  });

  it.each([
    [{ kind: 'budget' }, 'not kept'],
    [{ kind: 'security' }, 'not kept'],
    [spend('last_15_minutes', '1'), 'Quarters'],
    [{ kind: 'anomaly', metric: 'spend', by: 'key' }, 'Each key'],
  ])('says why it cannot: %j', async (condition, reason) => {
    expect(await rehearse(rule(condition), world.sources, nowMs)).toEqual({
      possible: false,
      reason: expect.stringContaining(reason),
    });
  });
});
