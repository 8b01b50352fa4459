import type { AlertEventRow } from '@tallygate/server/store/ports/alerts';
import type { Lease } from '@tallygate/server/store/ports/leases';
import type { Store } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import type { StoreBench } from './store-conformance.ts';

const BEAT = { roles: 'gateway', countsIn: 'shared', version: '1', startedAtMs: 5, lifeMs: 60_000 } as const;

async function lease(store: Store, nowMs: number): Promise<Lease> {
  const got = await store.leases.acquireLease('jobs', {
    holder: `h${nowMs}`,
    nowMs,
    expiresAtMs: nowMs + 100,
  });
  if (got === null) throw new Error('no lease');
  return got;
}

/** A rule that has never fired, and the edge that would be made of it. */
async function edgeOf(store: Store, id: string) {
  await store.config.ensureWorkspace({
    id: 'ws',
    slug: 'w',
    name: 'w',
    allowedAddresses: [],
    createdAtMs: 1,
  });
  await store.alerts.insertAlertRule({
    ...{ id, workspaceId: 'ws', name: id, environment: null, severity: 'warning', filter: {} },
    ...{ channelIds: [], cooldownMs: 0, notifyRecovery: true, enabled: true, createdAtMs: 1 },
    condition: { kind: 'security', minSeverity: 'warning' },
  });
  const after = { ruleId: id, subject: 's', version: 1, firing: true };
  const times = { sinceMs: 10, lastFiredAtMs: 10, lastSeenAtMs: 10 };
  const event: AlertEventRow = {
    ...{ id: `e-${id}`, workspaceId: 'ws', ruleId: id, ruleName: id, subject: 's', version: 1 },
    ...{ state: 'firing' as const, severity: 'warning' as const, environment: null, atMs: 10, sinceMs: 10 },
    ...{ title: 't', text: 't', facts: [], path: '/alerts' },
  };
  return { before: null, after: { ...after, ...times }, event, deliveries: [] };
}

export function nodesConformance(bench: StoreBench): void {
  describe('jobs and fences (X-08)', () => {
    const begin = (nowMs: number, early = false) => ({
      ...{ name: 'tidy', node: 'n', nowMs, nextMs: nowMs + 50, early },
    });

    it('begins a job once a period, and earlier when asked; says how it ended', async () => {
      const store = await bench.open('main');
      const fence = await lease(store, 1_000);
      expect(await store.jobs.beginJob(fence, begin(1_000))).toBe(1);
      expect(await store.jobs.beginJob(fence, begin(1_049))).toBeNull();
      expect(await store.jobs.beginJob(fence, begin(1_050))).toBe(2);
      expect(await store.jobs.beginJob(fence, begin(1_051, true))).toBe(3);
      expect(await store.jobs.endJob(fence, { name: 'tidy', run: 2, nowMs: 1_060, failed: true })).toBe(
        false,
      );
      expect(await store.jobs.endJob(fence, { name: 'tidy', run: 3, nowMs: 1_070, failed: true })).toBe(true);
      expect(await store.jobs.listJobs()).toEqual([
        {
          ...{ name: 'tidy', runs: 3, node: 'n', token: 1, dueAtMs: 1_101, startedAtMs: 1_051 },
          ...{ endedAtMs: 1_070, failed: true },
        },
      ]);
    });

    it('of many that try at once, one begins it', async () => {
      const stores = [await bench.open('main'), await bench.open('main')];
      const [first] = stores;
      if (first === undefined) throw new Error('no store');
      const fence = await lease(first, 1_000);
      for (const nowMs of [1_000, 2_000]) {
        const tried = Array.from({ length: 12 }, (_, i) => stores[i % 2]?.jobs.beginJob(fence, begin(nowMs)));
        expect((await Promise.all(tried)).filter((run) => run !== null)).toHaveLength(1);
      }
    });

    it('a lease that was lost or given up writes nothing any more: no run, no edge, no removal', async () => {
      const store = await bench.open('main');
      const paused = await lease(store, 1_000);
      expect(await store.jobs.beginJob(paused, begin(1_000))).toBe(1);
      const told = await edgeOf(store, 'told');
      expect(await store.alerts.recordAlertEdge({ ...told, fence: paused })).toBe(true);
      const edge = await edgeOf(store, 'late');

      const successor = await lease(store, 1_200);
      expect(await store.jobs.beginJob(paused, begin(1_300))).toBeNull();
      expect(await store.jobs.endJob(paused, { name: 'tidy', run: 1, nowMs: 1_300, failed: false })).toBe(
        false,
      );
      expect(await store.alerts.recordAlertEdge({ ...edge, fence: paused })).toBe(false);
      expect(await store.alerts.deleteAlertEvents(9_000, 10, paused)).toBe(0);
      expect(await store.alerts.listAlertEvents({ workspaceId: null, limit: 10 })).toHaveLength(1);

      expect(await store.alerts.recordAlertEdge({ ...edge, fence: successor })).toBe(true);
      await store.leases.releaseLease(successor);
      expect(await store.jobs.beginJob(successor, begin(1_400))).toBeNull();
      expect(await store.alerts.deleteAlertEvents(9_000, 10, await lease(store, 1_500))).toBe(2);
    });
  });

  describe('nodes (X-08)', () => {
    it('shows each the others that live; one that leaves or falls silent is gone', async () => {
      const { nodes } = await bench.open('main');
      expect(await nodes.beat({ ...BEAT, id: 'a', process: 'a1' })).toEqual({ others: [], replaced: null });
      const seen = await nodes.beat({ ...BEAT, id: 'b', process: 'b1', countsIn: 'self' });
      expect(seen.others.map(({ id, process, countsIn }) => [id, process, countsIn])).toEqual([
        ['a', 'a1', 'shared'],
      ]);
      expect((await nodes.listNodes()).map(({ id }) => id).sort()).toEqual(['a', 'b']);
      await nodes.leave({ id: 'b', process: 'another' });
      expect(await nodes.listNodes()).toHaveLength(2);
      await nodes.leave({ id: 'b', process: 'b1' });
      expect((await nodes.listNodes()).map(({ id }) => id)).toEqual(['a']);
      await nodes.beat({ ...BEAT, id: 'a', process: 'a1', lifeMs: 1 });
      await eventually('its time is up', async () => (await nodes.listNodes()).length === 0);
      expect(await nodes.forgetNodes(60_000)).toBe(0);
      expect(await nodes.forgetNodes(-60_000)).toBe(1);
    });

    it('tells a process that another has its place, as long as that lived', async () => {
      const { nodes } = await bench.open('main');
      await nodes.beat({ ...BEAT, id: 'a', process: 'a1' });
      expect((await nodes.beat({ ...BEAT, id: 'a', process: 'a2', lifeMs: 1 })).replaced).toBe('a1');
      await eventually('its time is up', async () => (await nodes.listNodes()).length === 0);
      expect((await nodes.beat({ ...BEAT, id: 'a', process: 'a3' })).replaced).toBeNull();
      expect((await nodes.beat({ ...BEAT, id: 'a', process: 'a3' })).replaced).toBeNull();
    });

    it('of those that begin at the same moment, at least one sees another', async () => {
      const stores = [await bench.open('main'), await bench.open('main')];
      for (let round = 0; round < 10; round++) {
        const beats = stores.map((store, i) =>
          store.nodes.beat({ ...BEAT, id: `r${round}-${i}`, process: `p${round}-${i}` }),
        );
        const seen = await Promise.all(beats);
        const own = seen.filter(({ others }) => others.some(({ id }) => id.startsWith(`r${round}-`)));
        expect(own.length).toBeGreaterThan(0);
      }
    });
  });
}
