import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';

export function leasesConformance(bench: StoreBench): void {
  describe('leases', () => {
    const at = (holder: string, nowMs: number) => ({ holder, nowMs, expiresAtMs: nowMs + 100 });

    it('has one holder until the lease ends or is given up, and a token that grows', async () => {
      const { leases } = await bench.open('main');
      const first = await leases.acquireLease('job', at('a', 1_000));
      expect(first).toEqual({ name: 'job', holder: 'a', token: 1, expiresAtMs: 1_100 });
      expect(await leases.acquireLease('job', at('b', 1_099))).toBeNull();
      expect((await leases.acquireLease('other', at('b', 1_099)))?.token).toBe(1);
      const second = await leases.acquireLease('job', at('b', 1_100));
      expect(second?.token).toBe(2);
      if (first === null || second === null) throw new Error('no lease');
      expect(await leases.renewLease(first, 9_000)).toBe(false);
      await leases.releaseLease(first); // lost: takes nothing from its new holder
      expect(await leases.acquireLease('job', at('c', 1_150))).toBeNull();
      expect(await leases.renewLease(second, 2_000)).toBe(true);
      expect(await leases.acquireLease('job', at('c', 1_999))).toBeNull();
      await leases.releaseLease(second);
      expect((await leases.acquireLease('job', at('c', 1_999)))?.token).toBe(3);
    });

    it('gives it to exactly one of many that ask at once, the first time and later', async () => {
      const { leases } = await bench.open('main');
      for (const nowMs of [1_000, 5_000]) {
        const asked = Array.from({ length: 20 }, (_, i) =>
          leases.acquireLease('job', at(`h${nowMs}-${i}`, nowMs)),
        );
        const got = (await Promise.all(asked)).filter((lease) => lease !== null);
        expect(got).toHaveLength(1);
      }
    });
  });
}
