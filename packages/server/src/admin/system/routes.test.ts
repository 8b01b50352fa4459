import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterEach, describe, expect, it } from 'vitest';
import type { MaintenanceStore } from '../../store/ports/maintenance.ts';

let world: AdminWorld;
async function start(methods: Partial<MaintenanceStore> = {}): Promise<void> {
  const store = await openTestStore();
  world = await startAdminWorld({ ...store, maintenance: withMethods(store.maintenance, methods) });
  await store.ledger.commit(
    [
      sampleSettled('r1', { startedAtMs: world.clock.ms }),
      sampleSettled('r2', { startedAtMs: world.clock.ms }),
    ],
    { nodeId: 'n', committed: { segment: 0, offset: 1 }, lowWaterSegment: 0 },
  );
}
afterEach(() => world.close());

const post = (path: string, body?: unknown) =>
  world.call(path, { local: true, method: 'POST', ...(body === undefined ? {} : { body }) });

it('GET /api/system 200', async () => {
  await start();
  expect((await world.call('/api/system', { local: true })).json).toEqual({
    version: '9.9.9-test',
    startedAt: '2026-11-22T12:00:00.000Z',
    store: { kind: 'sqlite', schemaVersion: await world.deps.store.schemaVersion() },
    journal: { state: 'ok', backlogEntries: 0, fsync: 'process' },
    prices: { version: '2026-11-22', cards: 3 },
    warnings: [],
  });
});

describe('rollups (TW-21)', () => {
  it('200 over everything or over a range; a body is not needed', async () => {
    await start();
    const all = await post('/api/rollups/rebuild');
    expect([all.status, all.json.events]).toEqual([200, 2]);
    expect(all.json.rollupRows).toBeGreaterThan(0);
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
    expect((await post('/api/rollups/rebuild', range)).json).toMatchObject({
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-02T00:00:00.000Z',
      events: 0,
    });
    expect((await post('/api/rollups/verify')).json).toMatchObject({ ok: true, differences: [] });
  });

  it('200 with ok false and the differences when sums and rows differ', async () => {
    const differences = [{ bucket: 'hour 1', field: 'requests', rollup: '1', rows: '2' }];
    await start({ verifyRollups: async () => ({ bucketsChecked: 4, differences }) });
    expect((await post('/api/rollups/verify', {})).json).toEqual({
      ok: false,
      bucketsChecked: 4,
      differences,
    });
  });

  it('400 for a range that runs backwards', async () => {
    await start();
    const range = { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' };
    expect((await post('/api/rollups/verify', range)).status).toBe(400);
  });

  it('409 while one is running, and free again afterwards, also when it failed', async () => {
    const failure = Promise.withResolvers<never>();
    const running = Promise.withResolvers<void>();
    await start({
      verifyRollups: () => {
        running.resolve();
        return failure.promise;
      },
    });
    const first = post('/api/rollups/verify');
    await running.promise;
    const second = await post('/api/rollups/rebuild');
    expect([second.status, second.json.error?.code]).toEqual([409, 'conflict']);
    failure.reject(new Error('broken'));
    expect((await first).status).toBe(500);
    expect((await post('/api/rollups/rebuild')).status).toBe(200);
  });
});

describe('POST /api/backup (WT-13)', () => {
  it('200 writes a private file with exact totals', async () => {
    await start();
    const dir = mkdtempSync(join(tmpdir(), 'tallygate-backup-'));
    const path = join(dir, 'copy.db');
    try {
      const { json } = await post('/api/backup', { path });
      expect(json).toMatchObject({ path, events: 2, costUsd: '0.010422' });
      expect(json.bytes).toBe(statSync(path).size);
      expect(statSync(path).mode & 0o077).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it.each(['relative.db', '../x', '', '/tmp/a\u0000b'])('400 for the path %j', async (path) => {
    await start();
    const answer = await post('/api/backup', { path });
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'path']);
  });
});
