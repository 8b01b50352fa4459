import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LimitRow } from '@tallygate/server/store/ports/limits';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { workspace } from './store-conformance-config.ts';

const limit: LimitRow = {
  id: 'l1',
  workspaceId: 'ws',
  name: "o'brien ünïcode",
  scope: [
    { kind: 'project', value: 'p1' },
    { kind: 'model', value: 'claude-*,"' },
  ],
  per: 'address',
  measure: 'input_tokens',
  limit: 1_000_000_000_000,
  window: 'minute',
  burst: 500,
  createdAtMs: 7,
};

export function limitsConformance(bench: StoreBench): void {
  describe('limits (CF-13)', () => {
    it('keeps them exactly, changes and removes them', async () => {
      const { config, limits } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      const slots: LimitRow = {
        ...limit,
        ...{ id: 'l0', scope: [], measure: 'concurrent_requests', limit: 0, window: null, burst: null },
        createdAtMs: 8,
      };
      await limits.insertLimit(limit);
      await limits.insertLimit(slots);
      expect(await limits.listLimits(null)).toEqual([limit, slots]);
      expect(await limits.updateLimit(limit, { limit: 5, name: 'x', burst: null })).toBe(true);
      expect(await limits.updateLimit({ ...limit, id: 'none' }, { limit: 5 })).toBe(false);
      expect(await limits.updateLimit({ ...limit, workspaceId: 'other' }, { limit: 6 })).toBe(false);
      expect(await limits.deleteLimit({ ...limit, workspaceId: 'other' })).toBe(false);
      expect(await limits.listLimits('other')).toEqual([]);
      expect((await limits.listLimits('ws'))[0]).toEqual({ ...limit, limit: 5, name: 'x', burst: null });
      expect([await limits.deleteLimit(limit), await limits.deleteLimit(limit)]).toEqual([true, false]);
    });

    it('are in a backup and come back', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tallygate-limits-'));
      try {
        const store = await bench.open('main');
        await store.config.ensureWorkspace(workspace);
        await store.limits.insertLimit(limit);
        const path = join(folder, 'backup');
        await store.maintenance.backup(path);
        const target = await bench.target.fresh();
        await bench.engine.restore(target, path);
        expect(await (await bench.open('main', target)).limits.listLimits(null)).toEqual([limit]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}
