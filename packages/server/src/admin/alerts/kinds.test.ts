import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { type FakeReceiver, startFakeReceiver } from '@tallygate/testkit/fake-receiver';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UsageEvent } from '../../accounting/usage-event.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let world: AdminWorld;
let receiver: FakeReceiver;
let projectId: string;
let committed: number;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  receiver = await startFakeReceiver();
  committed = 0;
  const { json } = await world.call('/api/projects', { local: true, body: { slug: 'web' } });
  projectId = String(json.id);
});
afterEach(async () => {
  await world.close();
  await receiver.stop();
});

const post = async (path: string, body?: unknown) => {
  const answer = await world.call(path, { local: true, method: 'POST', body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
};

/** Commits rows of requests of one project, as the ledger does. */
async function commit(...changes: Partial<UsageEvent>[]): Promise<void> {
  committed += 1;
  const rows = changes.map((change) =>
    sampleSettled(world.deps.newId(), { projectId, startedAtMs: world.clock.ms, ...change }),
  );
  const place = { segment: 1, offset: committed };
  await world.deps.store.ledger.commit(rows, { nodeId: 'n', committed: place, lowWaterSegment: 0 });
}
const many = (count: number, change: Partial<UsageEvent>) =>
  commit(...Array.from({ length: count }, () => change));

/** A rule that tells the receiver. */
async function watch(condition: object, rest: object = {}): Promise<void> {
  const target = { kind: 'webhook', url: receiver.url };
  const channel = await post('/api/alerts/channels', { name: 'ops', allowPrivate: true, target });
  await post('/api/alerts/rules', {
    name: 'r',
    condition,
    channelIds: [channel.id],
    cooldownMinutes: 0,
    ...rest,
  });
}
interface Told {
  type: string;
  data: {
    title: string;
    text: string;
    environment: string | null;
    facts: { label: string; value: string }[];
  };
}
/** What the receiver has got once the rules were judged. */
async function told(count: number): Promise<Told[]> {
  await post('/api/alerts/evaluate');
  return (await receiver.until(count)).map(({ body }) => JSON.parse(body) as Told);
}

const usage = (metric: string, limit: object, window = 'hour') => ({
  kind: 'usage',
  metric,
  window,
  ...limit,
});
const LAST_DOLLAR = { costNanoUsd: 1_000_000_000n };

describe('every kind of traffic rule reaches a receiver, in its environment, and says when it is over (TW-16, TW-20)', () => {
  it.each<[string, object, () => Promise<void>, string]>([
    [
      'spend',
      usage('spend', { thresholdUsd: '1' }),
      () => commit(LAST_DOLLAR),
      'Spend in production reached $1.00',
    ],
    ['tokens', usage('tokens', { threshold: 357 }), () => commit({}), 'Tokens in production reached 357'],
    ['requests', usage('requests', { threshold: 3 }), () => many(3, {}), 'Requests in production reached 3'],
    [
      'error rate',
      usage('error_rate', { threshold: 50, minRequests: 4 }),
      async () => {
        await many(2, { status: 'upstream_error' });
        await many(2, {});
      },
      'Error rate in production reached 50.0 %',
    ],
    [
      'latency',
      usage('latency_p95', { threshold: 5_000, minRequests: 2 }),
      () => many(2, { latencyMs: 9_000 }),
      'Latency (p95) in production reached',
    ],
    [
      'unpriced usage',
      usage('unpriced_requests', { threshold: 1 }),
      () => commit({ costNanoUsd: null, priceCard: null, priceStatus: 'unpriced' }),
      'Requests without a price in production reached 1',
    ],
  ])('%s', async (_name, condition, happen, title) => {
    await watch(condition);
    await post('/api/alerts/evaluate');
    await happen();
    const [fired] = await told(1);
    expect([fired?.type, fired?.data.environment]).toEqual(['alert.firing', 'production']);
    expect(fired?.data.title.startsWith(title), fired?.data.title).toBe(true);
    await told(1); // once for the window
    world.clock.ms += HOUR;
    const calls = await told(2);
    expect([calls.length, calls[1]?.type]).toEqual([2, 'alert.recovered']);
  });
});

describe('rules on what is no traffic reach a receiver', () => {
  async function budget(body: object): Promise<void> {
    await post('/api/budgets', { scope: 'workspace', window: 'total', name: 'b', ...body });
  }
  const hold = (costNanoUsd: number): void => {
    const { firstWorkspaceId: workspaceId } = world.deps;
    const scopes = {
      ...{ workspaceId, keyId: 'k', userId: null, projectId, sessionId: null, model: 'm' },
      ...{ provider: 'anthropic', accountId: 'a', tags: [] },
    };
    const bound = {
      ...{ outputTokens: 0, minOutputTokens: null, costNanoUsd: () => costNanoUsd },
      ...{ tokens: () => 1, weightedTokens: () => 1 },
    };
    world.deps.budgets.engine.reserve({ id: 'req', startedAtMs: world.clock.ms + 1, scopes }, () => bound);
  };

  it('a step of a budget by what is spent, and by what is spent or held', async () => {
    await budget({ limitUsd: '10' });
    await watch({ kind: 'budget', percents: [50], basis: 'spent' });
    await post('/api/alerts/rules', {
      name: 'held',
      condition: { kind: 'budget', percents: [50], basis: 'spent_and_held' },
      channelIds: (
        (await world.call('/api/alerts/channels', { local: true })).json.channels as { id: string }[]
      ).map(({ id }) => id),
    });
    hold(6_000_000_000);
    const [fired] = await told(1);
    expect(fired?.data.title).toBe('Budget b: 60 % spent or held');
    expect(await told(1)).toHaveLength(1); // nothing is spent yet, so the other rule is calm
  });

  it('a budget that will be gone, with the day', async () => {
    await budget({ limitUsd: '100' });
    world.clock.ms += 8 * HOUR;
    await watch({ kind: 'forecast' });
    await post('/api/alerts/evaluate');
    expect(receiver.calls).toEqual([]);
    await commit({ costNanoUsd: 10_000_000_000n });
    await world.deps.budgets.load();
    const [fired] = await told(1);
    expect(fired?.data.title).toMatch(/^Budget b is gone (at|by|on) /);
    expect(fired?.data.facts).toContainEqual({ label: 'Limit', value: '$100.00' });
  });

  it('an account that its provider refuses, and that serves again (CF-04)', async () => {
    const account = await post('/api/accounts', { provider: 'anthropic', name: 'team', apiKey: 'sk-ant-x' });
    await watch({ kind: 'account', conditions: ['refused'] });
    const state = world.deps.accountState(String(account.id));
    state.refusedAtMs = world.clock.ms;
    expect((await told(1))[0]?.data.title).toBe('Account team was refused by its provider');
    state.refusedAtMs = null;
    expect((await told(2))[1]).toMatchObject({
      type: 'alert.recovered',
      data: { title: 'Account team serves again' },
    });
  });

  it('what the security panel finds (NX-10)', async () => {
    await watch({ kind: 'security' });
    for (let count = 0; count < 11; count += 1)
      world.deps.security.note({ kind: 'login_failed', address: '203.0.113.9', host: 'gate' });
    expect((await told(1))[0]?.data.text).toContain('203.0.113.9 failed to sign in 11 times');
  });

  it('what is unusual, with what is usual, since when, and who brings it about (CF-13)', async () => {
    const nowMs = world.clock.ms;
    const hours = Array.from({ length: 14 * 24 }, (_, index) => nowMs - (index + 1) * HOUR);
    await commit(...hours.map((startedAtMs) => ({ startedAtMs, apiKeyId: 'calm', ...LAST_DOLLAR })));
    await watch({ kind: 'anomaly', metric: 'spend' });
    await post('/api/alerts/evaluate');
    expect(receiver.calls).toEqual([]);
    await commit({ costNanoUsd: 40_000_000_000n, apiKeyId: 'runaway' });
    const [fired] = await told(1);
    expect(fired?.data).toMatchObject({ environment: 'production' });
    expect(fired?.data.text).toMatch(/40\.0 times the usual \$1\.00.*since 2026-11-22 12:00/);
    expect(fired?.data.facts.find(({ label }) => label === 'Most of it by key')?.value).toMatch(
      /^runaway: \$40\.00/,
    );
    world.clock.ms += DAY;
    expect((await told(2))[1]?.type).toBe('alert.recovered');
  });
});

it('two environments that reach a limit only together reach it for nobody (TW-20)', async () => {
  const { json } = await world.call('/api/projects', {
    local: true,
    body: { slug: 'web-staging', environment: 'staging' },
  });
  await watch(usage('spend', { thresholdUsd: '2' }));
  await commit(LAST_DOLLAR, { ...LAST_DOLLAR, projectId: String(json.id) });
  await post('/api/alerts/evaluate');
  await commit({ ...LAST_DOLLAR, projectId: String(json.id) });
  const calls = await told(1);
  expect(calls.map(({ data }) => data.environment)).toEqual(['staging']);
});

it('a receiver that fails does not put off the next notice, and the cool-down does not wait for it', async () => {
  receiver.answer = { status: 500 };
  await watch(usage('spend', { thresholdUsd: '1' }), { cooldownMinutes: 30 });
  await commit(LAST_DOLLAR);
  await told(1);
  world.clock.ms += HOUR; // the window is over, and the first notice has not arrived
  await commit(LAST_DOLLAR);
  await post('/api/alerts/evaluate');
  const { json } = await world.call('/api/alerts/events', { local: true });
  expect((json.events as { state: string }[]).map(({ state }) => state)).toEqual(['firing']);
  world.clock.ms += HOUR;
  await post('/api/alerts/evaluate');
  await commit(LAST_DOLLAR);
  await post('/api/alerts/evaluate');
  const { json: later } = await world.call('/api/alerts/events', { local: true });
  expect((later.events as { state: string }[]).map(({ state }) => state)).toEqual([
    'firing',
    'recovered',
    'firing',
  ]);
});
