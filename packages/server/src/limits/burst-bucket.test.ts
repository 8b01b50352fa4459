import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BurstBucket, burstIsExact } from './burst-bucket.ts';

describe('a burst (CF-13)', () => {
  it('is exact where it says so, and says where it is not', () => {
    expect(burstIsExact(10, 60, 60_000)).toBe(true);
    expect(burstIsExact(1_000_000_000, 1_000_000_000, 86_400_000)).toBe(true);
    expect(burstIsExact(999_999_999_989, 999_999_999_989, 86_400_000)).toBe(false); // a prime: nothing to shorten
  });

  it('never lets more through than the burst and what has been refilled since (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 5 })), { maxLength: 60 }),
        (burst, limit, steps) => {
          const bucket = new BurstBucket(burst, limit, 60_000);
          const passed: { atMs: number; amount: number }[] = [];
          let nowMs = 0;
          for (const [afterMs, size] of steps) {
            nowMs += afterMs;
            const amount = Math.min(size, burst);
            const waitMs = bucket.msUntilRoom(nowMs, amount);
            if (waitMs > 0) {
              expect(bucket.msUntilRoom(nowMs + waitMs - 1, amount)).toBeGreaterThan(0);
              nowMs += waitMs;
              expect(bucket.msUntilRoom(nowMs, amount)).toBe(0);
            }
            bucket.add(nowMs, amount);
            passed.push({ atMs: nowMs, amount });
          }
          for (const [i, { atMs }] of passed.entries()) {
            let sum = 0;
            for (const later of passed.slice(i)) {
              sum += later.amount;
              expect(sum).toBeLessThanOrEqual(burst + ((later.atMs - atMs) * limit) / 60_000);
            }
          }
        },
      ),
    );
  });
});
