import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { createMemoryStore } from '@tallygate/testkit/memory-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
let store: ReturnType<typeof createMemoryStore>;
beforeEach(async () => {
  store = createMemoryStore();
  world = await startAdminWorld(store);
});
afterEach(() => world.close());

const post = (path: string, body?: unknown) =>
  world.call(path, { local: true, method: 'POST', ...(body === undefined ? {} : { body }) });

it('GET /api/system 200', async () => {
  expect((await world.call('/api/system', { local: true })).json).toEqual({
    version: '9.9.9-test',
    startedAt: '2026-11-22T12:00:00.000Z',
    store: { kind: 'memory', schemaVersion: 1 },
    journal: { state: 'ok', backlogEntries: 0, fsync: 'process' },
    prices: { version: '2026-11-22', cards: 3 },
  });
});

describe('rollups (TW-21)', () => {
  it('200 over everything or over a range; a body is not needed', async () => {
    const asked: unknown[] = [];
    store.maintenance.rebuildRollups = async (fromMs, toMs) => {
      asked.push([fromMs, toMs]);
      return { fromMs: fromMs ?? 0, toMs: toMs ?? 1, events: 2, rollupRows: 3 };
    };
    expect((await post('/api/rollups/rebuild')).json).toMatchObject({
      from: '1970-01-01T00:00:00.000Z',
      events: 2,
      rollupRows: 3,
    });
    await post('/api/rollups/rebuild', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' });
    expect(asked).toEqual([
      [null, null],
      [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)],
    ]);
  });

  it('200 with ok false and the differences when sums and rows differ', async () => {
    const differences = [{ bucket: 'hour 1', field: 'requests', rollup: '1', rows: '2' }];
    store.maintenance.verifyRollups = async () => ({ bucketsChecked: 4, differences });
    expect((await post('/api/rollups/verify', {})).json).toEqual({
      ok: false,
      bucketsChecked: 4,
      differences,
    });
  });

  it('400 for a range that runs backwards', async () => {
    expect(
      (await post('/api/rollups/verify', { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }))
        .status,
    ).toBe(400);
  });

  it('409 while one is running, and free again afterwards, also when it failed', async () => {
    let finish: () => void = () => undefined;
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    store.maintenance.verifyRollups = () =>
      new Promise((_resolve, reject) => {
        finish = () => reject(new Error('broken'));
        started();
      });
    const first = post('/api/rollups/verify');
    await running;
    const second = await post('/api/rollups/rebuild');
    expect([second.status, second.json.error?.code]).toEqual([409, 'conflict']);
    finish();
    expect((await first).status).toBe(500);
    expect((await post('/api/rollups/rebuild')).status).toBe(200);
  });
});

describe('POST /api/backup (WT-13)', () => {
  it('200 with exact totals', async () => {
    store.maintenance.backup = async (path) => ({
      bytes: path.length,
      events: 2,
      costNanoUsd: 1_500_000_001n,
    });
    expect((await post('/api/backup', { path: '/tmp/x.db' })).json).toEqual({
      path: '/tmp/x.db',
      bytes: 9,
      events: 2,
      costUsd: '1.500000001',
    });
  });

  it.each(['relative.db', '../x', '', '/tmp/a\u0000b'])('400 for the path %j', async (path) => {
    const answer = await post('/api/backup', { path });
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'path']);
  });
});
