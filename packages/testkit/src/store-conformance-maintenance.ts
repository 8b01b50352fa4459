import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '@tallygate/server/store/store';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { account, key, owner, project, user, workspace } from './store-conformance-config.ts';
import { checkpoint } from './store-conformance-ledger.ts';
import { usageEvent } from './usage-events.ts';

const START = Date.UTC(2026, 0, 30);
const HOUR = 3_600_000;
const all = { workspaceId: null, fromMs: 0, toMs: START + 1_000 * HOUR };

function spread(count: number) {
  return Array.from({ length: count }, (_, index) =>
    usageEvent({
      startedAtMs: START + index * HOUR * 0.7,
      projectId: `p${index % 3}`,
      costNanoUsd: index % 5 === 0 ? null : BigInt(index) * 1_001n,
      tags: index % 2 === 0 ? ['even'] : [],
    }),
  );
}

/** Writes batches until told to stop; returns how many rows it wrote. */
function writeAlong(store: Store): { stop(): Promise<number> } {
  let stopped = false;
  let written = 0;
  const running = (async () => {
    while (!stopped) {
      written += (await store.ledger.commit(spread(20), checkpoint(written, 'along'))).inserted;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return written;
    },
  };
}

export function maintenanceConformance(bench: StoreBench): void {
  describe('rollup maintenance', () => {
    it('rebuilds any range to the same rollups, as often as asked (TW-21)', async () => {
      const { ledger, maintenance, usage } = await bench.open('ledger');
      await ledger.commit(spread(200), checkpoint(1));
      const before = await usage.totals(all, 'rollups');
      for (const [from, to] of [
        [null, null],
        [START + HOUR, START + 30 * HOUR],
        [null, START + 50 * HOUR],
        [START + 10_000 * HOUR, null],
      ] as const) {
        await maintenance.rebuildRollups(from, to);
        expect(await usage.totals(all, 'rollups')).toEqual(before);
        expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
      }
      const whole = await maintenance.rebuildRollups(null, null);
      expect(whole).toMatchObject({ fromMs: START, events: 200 });
      expect(whole.toMs % (24 * HOUR)).toBe(0);
    });

    it('loses and doubles nothing when the ledger writes at the same time (TW-21)', async () => {
      const [writer, other] = [await bench.open('ledger'), await bench.open('main')];
      await writer.ledger.commit(spread(100), checkpoint(1));
      const along = writeAlong(writer);
      for (let round = 0; round < 3; round++) await other.maintenance.rebuildRollups(null, null);
      const written = await along.stop();
      expect((await other.usage.totals(all, 'rollups')).requests).toBe(100 + written);
      expect((await other.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('does nothing to an empty store', async () => {
      const { maintenance } = await bench.open('main');
      expect(await maintenance.rebuildRollups(null, null)).toMatchObject({ events: 0, rollupRows: 0 });
      expect(await maintenance.verifyRollups(null, null)).toEqual({ bucketsChecked: 0, differences: [] });
    });
  });

  describe('backup and restore', () => {
    async function filled(): Promise<Store> {
      const store = await bench.open('main');
      await store.config.ensureWorkspace(workspace);
      await store.config.insertProject(project);
      await store.config.insertKey(key);
      await store.config.insertAccount({ ...account, sealedCredential: 'v1.sealed' });
      await store.config.setSetting('a', 'b');
      await store.identity.insertFirstUser(user, owner);
      await store.ledger.commit(spread(120), checkpoint(1));
      return store;
    }

    it('restores everything into a new store with equal totals (TW-22)', async () => {
      const store = await filled();
      const path = join(await bench.target.directory(), 'store.backup');
      const made = await store.maintenance.backup(path);
      expect(made).toMatchObject({ events: 120, bytes: (await stat(path)).size });
      if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
      const url = await bench.target.fresh();
      const restored = await bench.engine.restore(url, path);
      expect(restored).toEqual({ events: 120, costNanoUsd: made.costNanoUsd });
      const copy = await bench.open('main', url);
      for (const source of ['rows', 'rollups'] as const) {
        expect(await copy.usage.totals(all, source)).toEqual(await store.usage.totals(all, source));
      }
      expect(await copy.usage.committedAfter(0, 500)).toEqual(await store.usage.committedAfter(0, 500));
      expect(await copy.config.listAccounts(null)).toEqual(await store.config.listAccounts(null));
      expect(await copy.config.listKeys(null)).toEqual(await store.config.listKeys(null));
      expect(await copy.identity.findUser(user.id)).toEqual(user);
      expect(await copy.config.getSetting('a')).toBe('b');
      expect(
        (await copy.usage.requests({ ...all, tags: ['even'], limit: 500, cursor: null })).events,
      ).toHaveLength(60);
      expect((await copy.maintenance.verifyRollups(null, null)).differences).toEqual([]);
      // No checkpoint comes along: the journal is read again, and what is there already is skipped by id.
      expect(await copy.ledger.readCheckpoint('node')).toBeNull();
      await copy.ledger.commit([usageEvent({ projectId: 'new' })], checkpoint(1));
      expect((await copy.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('is of one moment while the ledger writes (WT-13)', async () => {
      const store = await filled();
      const along = writeAlong(await bench.open('ledger'));
      const path = join(await bench.target.directory(), 'online.backup');
      const made = await store.maintenance.backup(path);
      expect(await along.stop()).toBeGreaterThan(0);
      const url = await bench.target.fresh();
      expect((await bench.engine.restore(url, path)).events).toBe(made.events);
      const copy = await bench.open('main', url);
      expect((await copy.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('refuses a store in use, a damaged file and an existing name, and changes nothing (TW-22)', async () => {
      const store = await filled();
      const directory = await bench.target.directory();
      const path = join(directory, 'a.backup');
      await store.maintenance.backup(path);
      await expect(store.maintenance.backup(path)).rejects.toMatchObject({ code: 'conflict' });
      await expect(bench.engine.restore(bench.url(), path)).rejects.toMatchObject({ code: 'conflict' });
      expect((await store.usage.totals(all)).requests).toBe(120);

      const whole = await readFile(path);
      const url = await bench.target.fresh();
      for (const cut of [whole.length - 1, whole.length >> 1, 20, 0]) {
        const damaged = join(directory, `cut-${cut}`);
        await writeFile(damaged, whole.subarray(0, cut));
        await expect(bench.engine.restore(url, damaged)).rejects.toThrow(/not a complete Tallygate backup/);
      }
      const flipped = Buffer.from(whole);
      flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 0xff;
      await writeFile(join(directory, 'flipped'), flipped);
      await expect(bench.engine.restore(url, join(directory, 'flipped'))).rejects.toThrow(/not a complete/);
      expect((await bench.engine.restore(url, path)).events).toBe(120);
    });

    it('leaves nothing under the name when it fails', async () => {
      const store = await filled();
      const directory = await bench.target.directory();
      await expect(store.maintenance.backup(join(directory, 'missing', 'x'))).rejects.toThrow();
      expect(existsSync(join(directory, 'missing'))).toBe(false);
      expect(await readdir(directory)).toEqual([]);
    });
  });

  describe('migrations', () => {
    it('are done by one of two that start together (WT-12)', async () => {
      const url = await bench.target.fresh();
      const stores = await Promise.all([1, 2, 3].map(() => bench.engine.open(url, { role: 'main' })));
      const results = await Promise.all(stores.map((store) => store.migrate()));
      expect(results.filter((result) => result.applied.length > 0)).toHaveLength(1);
      expect(new Set(results.map((result) => result.schemaVersion)).size).toBe(1);
      expect((await stores[0]!.migrate()).applied).toEqual([]);
      for (const store of stores) await store.close();
    });
  });
}
