import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AlertChannelRow,
  AlertEventRow,
  AlertRuleRow,
  AlertStateRow,
  DeliveryRow,
} from '@tallygate/server/store/ports/alerts';
import type { Store } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';

const workspace = { id: 'ws', slug: 'default', name: 'Workspace', allowedAddresses: [], createdAtMs: 1 };
const rule: AlertRuleRow = {
  id: 'r1',
  workspaceId: 'ws',
  name: "o'brien ünïcode",
  environment: 'staging',
  severity: 'critical',
  filter: { projects: ['p1'], tags: ['x'] },
  condition: {
    kind: 'usage',
    metric: 'spend',
    window: 'day',
    thresholdUsd: '12.5',
    minRequests: 20,
    timeZone: 'UTC',
  },
  channelIds: ['c1'],
  cooldownMs: 3_600_000,
  notifyRecovery: true,
  enabled: true,
  createdAtMs: 7,
};
const state: AlertStateRow = {
  ruleId: 'r1',
  subject: 'staging',
  version: 1,
  firing: true,
  sinceMs: 100,
  lastFiredAtMs: 100,
  lastSeenAtMs: 100,
};
const event: AlertEventRow = {
  id: 'e1',
  workspaceId: 'ws',
  ruleId: 'r1',
  ruleName: 'spend',
  subject: 'staging',
  version: 1,
  state: 'firing',
  severity: 'critical',
  environment: 'staging',
  atMs: 100,
  sinceMs: 90,
  title: 'Spend reached $12.50',
  text: 'Line one\nline two',
  facts: [{ label: 'Spend', value: '$13' }],
  path: '/?environment=staging',
};
const channel: AlertChannelRow = {
  id: 'c1',
  workspaceId: 'ws',
  name: 'ops',
  kind: 'webhook',
  config: '{}',
  sealedSecret: 'v1.sealed',
  destination: 'hooks.example.com',
  allowPrivate: false,
  template: { title: '{{title}}', text: null },
  enabled: true,
  createdAtMs: 8,
};
const delivery: DeliveryRow = {
  id: 'd1',
  eventId: 'e1',
  channelId: 'c1',
  status: 'pending',
  attempts: 0,
  createdAtMs: 100,
  nextAttemptAtMs: 100,
  expiresAtMs: 1_000_000,
  finishedAtMs: null,
  log: [],
};

async function filled(bench: StoreBench): Promise<Store> {
  const store = await bench.open('main');
  await store.config.ensureWorkspace(workspace);
  await store.alerts.insertAlertRule(rule);
  await store.alerts.insertAlertChannel(channel);
  const made = await store.alerts.recordAlertEdge({
    before: null,
    after: state,
    event,
    deliveries: [delivery],
  });
  expect(made).toBe(true);
  return store;
}

function edgesConformance(bench: StoreBench): void {
  it('makes an edge once: state, event and deliveries together or not at all', async () => {
    const { alerts } = await filled(bench);
    expect(await alerts.listAlertStates()).toEqual([state]);
    expect(await alerts.listAlertEvents({ workspaceId: null, limit: 10 })).toEqual([event]);
    const again = { ...event, id: 'e2' };
    const edge = { before: null, after: state, event: again, deliveries: [] };
    expect(await alerts.recordAlertEdge(edge)).toBe(false);
    const calm = { ...state, version: 2, firing: false };
    const recovered = { ...again, version: 2, state: 'recovered' as const };
    expect(
      await alerts.recordAlertEdge({ before: state, after: calm, event: recovered, deliveries: [] }),
    ).toBe(true);
    expect(
      await alerts.recordAlertEdge({
        before: state,
        after: calm,
        event: { ...recovered, id: 'e3' },
        deliveries: [{ ...delivery, id: 'd3', eventId: 'e3' }],
      }),
    ).toBe(false);
    expect((await alerts.listAlertEvents({ workspaceId: null, limit: 10 })).map(({ id }) => id)).toEqual([
      'e2',
      'e1',
    ]);
    expect(await alerts.listDeliveries({ workspaceId: null, limit: 10 })).toEqual([delivery]);
  });

  it('lets one of many at the same edge through', async () => {
    const store = await filled(bench);
    const other = await bench.open('main');
    const tries = Array.from({ length: 10 }, (_, index) =>
      [store, other][index % 2]?.alerts.recordAlertEdge({
        before: state,
        after: { ...state, version: 2, firing: false },
        event: { ...event, id: `x${index}`, version: 2 },
        deliveries: [{ ...delivery, id: `y${index}`, eventId: `x${index}` }],
      }),
    );
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await store.alerts.listAlertEvents({ workspaceId: null, limit: 20 })).toHaveLength(2);
    expect(await store.alerts.listDeliveries({ workspaceId: null, limit: 20 })).toHaveLength(2);
  });

  it('notes what still fires, and never backwards', async () => {
    const { alerts } = await filled(bench);
    await alerts.touchAlertStates([state, { ruleId: 'none', subject: 'x' }], 500);
    await alerts.touchAlertStates([state], 400);
    expect((await alerts.listAlertStates())[0]?.lastSeenAtMs).toBe(500);
  });
}

function outboxConformance(bench: StoreBench): void {
  it('gives what is due to one process at a time, and again when its claim ends', async () => {
    const store = await filled(bench);
    const claim = (token: string, nowMs: number) =>
      store.alerts.claimDeliveries({ token, nowMs, untilMs: nowMs + 50, limit: 10 });
    expect(await claim('early', 99)).toEqual([]);
    const claims = await Promise.all([claim('a', 100), claim('b', 100), claim('c', 100)]);
    expect(claims.flat()).toEqual([{ delivery, event, channel }]);
    expect(await claim('d', 149)).toEqual([]);
    expect(await claim('e', 150)).toHaveLength(1); // whoever had it is gone
    const log = [{ atMs: 151, ok: false, status: 500, durationMs: 3, message: 'no' }];
    const later = { status: 'pending' as const, attempts: 1, nextAttemptAtMs: 300, finishedAtMs: null, log };
    expect(await store.alerts.finishDelivery('d1', 'a', later)).toBe(false);
    expect(await store.alerts.finishDelivery('d1', 'e', later)).toBe(true);
    expect(await claim('f', 299)).toEqual([]);
    expect((await claim('g', 300))[0]?.delivery).toEqual({ ...delivery, ...later });
  });

  it('gives back what a process had claimed that is gone, and touches nothing that is finished', async () => {
    const { alerts } = await filled(bench);
    const claim = { nowMs: 100, untilMs: 45_100, limit: 10 };
    expect(await alerts.releaseDeliveryClaims()).toBe(0);
    expect(await alerts.claimDeliveries({ ...claim, token: 'died' })).toHaveLength(1);
    expect(await alerts.claimDeliveries({ ...claim, token: 'early' })).toEqual([]);
    expect(await alerts.releaseDeliveryClaims()).toBe(1);
    const done = {
      status: 'delivered' as const,
      attempts: 1,
      nextAttemptAtMs: 100,
      finishedAtMs: 110,
      log: [],
    };
    expect(await alerts.finishDelivery('d1', 'died', done)).toBe(false); // it is not its own any more
    expect(await alerts.claimDeliveries({ ...claim, token: 'next' })).toHaveLength(1);
    expect(await alerts.finishDelivery('d1', 'next', done)).toBe(true);
    expect(await alerts.releaseDeliveryClaims()).toBe(0);
    expect(await alerts.findDeliveries(['d1'])).toEqual([{ ...delivery, ...done }]);
  });

  it('keeps what is finished, sends it again when asked, and says when the channel is gone', async () => {
    const { alerts } = await filled(bench);
    await alerts.claimDeliveries({ token: 't', nowMs: 100, untilMs: 150, limit: 1 });
    const dead = { status: 'dead' as const, attempts: 9, nextAttemptAtMs: 100, finishedAtMs: 120, log: [] };
    await alerts.finishDelivery('d1', 't', dead);
    expect(await alerts.listDeliveries({ workspaceId: null, status: 'pending', limit: 5 })).toEqual([]);
    expect((await alerts.findDeliveries(['d1', 'd9'])).map(({ id }) => id)).toEqual(['d1']);
    expect(
      await alerts.listDeliveries({ workspaceId: null, status: 'dead', eventId: 'e1', limit: 5 }),
    ).toHaveLength(1);
    expect(await alerts.deleteAlertEvents(100, 10)).toBe(0);
    expect(await alerts.redeliver('d1', { nowMs: 200, expiresAtMs: 900 })).toBe(true);
    expect(await alerts.redeliver('d1', { nowMs: 201, expiresAtMs: 900 })).toBe(false);
    expect(await alerts.deleteAlertEvents(101, 10)).toBe(0); // on its way
    expect(await alerts.deleteAlertChannel('c1')).toBe(true);
    const [claimed] = await alerts.claimDeliveries({ token: 'u', nowMs: 200, untilMs: 250, limit: 1 });
    expect([claimed?.channel, claimed?.delivery.expiresAtMs]).toEqual([null, 900]);
    await alerts.finishDelivery('d1', 'u', dead);
    expect(await alerts.deleteAlertEvents(101, 10)).toBe(1);
    expect(await alerts.listDeliveries({ workspaceId: null, limit: 5 })).toEqual([]);
  });
}

export function alertsConformance(bench: StoreBench): void {
  describe('alerts (TW-16)', () => {
    it('keeps rules and channels exactly, changes and removes them', async () => {
      const { alerts } = await filled(bench);
      expect(await alerts.listAlertRules(null)).toEqual([rule]);
      const change = { enabled: false, environment: null, channelIds: [], cooldownMs: 0 };
      expect(await alerts.updateAlertRule('r1', change)).toBe(true);
      expect([await alerts.updateAlertRule('r1', {}), await alerts.updateAlertRule('r2', {})]).toEqual([
        true,
        false,
      ]);
      expect(await alerts.listAlertRules(null)).toEqual([{ ...rule, ...change }]);
      expect(await alerts.listAlertChannels(null)).toEqual([channel]);
      await expect(alerts.insertAlertChannel({ ...channel, id: 'c2' })).rejects.toMatchObject({
        code: 'name_taken',
      });
      expect(await alerts.updateAlertChannel('c1', { template: null, allowPrivate: true })).toBe(true);
      expect(await alerts.listAlertChannels(null)).toEqual([
        { ...channel, template: null, allowPrivate: true },
      ]);
      expect([await alerts.deleteAlertRule('r1'), await alerts.deleteAlertRule('r1')]).toEqual([true, false]);
      expect(await alerts.listAlertStates()).toEqual([]);
      expect(await alerts.findAlertEvents(['e1', 'e9'])).toEqual([event]);
    });

    it('lists events newest first, by rule, environment and time', async () => {
      const { alerts } = await filled(bench);
      const other = { ...event, id: 'e2', ruleId: null, version: 0, atMs: 200, environment: null };
      await alerts.recordAlertEdge({
        before: null,
        after: { ...state, subject: 'b' },
        event: other,
        deliveries: [],
      });
      const ids = async (query: object) =>
        (await alerts.listAlertEvents({ workspaceId: null, limit: 10, ...query })).map(({ id }) => id);
      expect(await ids({})).toEqual(['e2', 'e1']);
      expect(await ids({ ruleId: 'r1' })).toEqual(['e1']);
      expect(await ids({ environment: 'staging' })).toEqual(['e1']);
      expect(await ids({ beforeMs: 200 })).toEqual(['e1']);
      expect(await ids({ limit: 1 })).toEqual(['e2']);
      expect(await ids({ workspaceId: 'other' })).toEqual([]);
      expect([
        await alerts.listAlertRules('other'),
        await alerts.listAlertChannels('other'),
        await alerts.listDeliveries({ workspaceId: 'other', limit: 9 }),
      ]).toEqual([[], [], []]);
      expect([
        await alerts.listAlertRules('ws'),
        await alerts.listAlertChannels('ws'),
        await alerts.listDeliveries({ workspaceId: 'ws', limit: 9 }),
      ]).toEqual([[rule], [channel], [delivery]]);
    });

    edgesConformance(bench);
    outboxConformance(bench);

    it('are in a backup and come back; the vault reaches the secrets of channels', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tallygate-alerts-'));
      try {
        const store = await filled(bench);
        const path = join(folder, 'backup');
        await store.maintenance.backup(path);
        const target = await bench.target.fresh();
        await bench.engine.restore(target, path);
        const { alerts, vault } = await bench.open('main', target);
        expect(await alerts.listAlertRules(null)).toEqual([rule]);
        expect(await alerts.listAlertStates()).toEqual([state]);
        const [claimed] = await alerts.claimDeliveries({ token: 't', nowMs: 100, untilMs: 200, limit: 5 });
        expect(claimed).toEqual({ delivery, event, channel });
        const at = { table: 'alert_channel', row: 'c1', column: 'secret' };
        expect(await vault.listSealed()).toContainEqual({ at, text: 'v1.sealed' });
        expect(await vault.replaceSealed({ at, text: 'other' }, 'new')).toBe(false);
        expect(await vault.replaceSealed({ at, text: 'v1.sealed' }, 'new')).toBe(true);
        expect((await alerts.listAlertChannels(null))[0]?.sealedSecret).toBe('new');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}
