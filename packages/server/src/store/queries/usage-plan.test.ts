import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../accounting/rollup.ts';
import { planSegments } from './usage-plan.ts';

const START = Date.UTC(2026, 1, 27);
const instant = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map((hours) => START + hours * HOUR_MS),
  fc.integer({ min: START, max: START + 9 * DAY_MS }),
);
const finest = fc.constantFrom(null, 'minute' as const, 'hour' as const, 'day' as const);

describe('plan of a range (TW-21)', () => {
  it('covers every millisecond once, in order, with aligned rollups', () => {
    fc.assert(
      fc.property(instant, instant, finest, (fromMs, toMs, step) => {
        const segments = planSegments({ fromMs, toMs }, step, 'auto');
        let at = fromMs;
        for (const segment of segments) {
          expect(segment.fromMs).toBe(at);
          expect(segment.toMs).toBeGreaterThan(segment.fromMs);
          const width = { rows: 1, hour: HOUR_MS, day: DAY_MS }[segment.from];
          expect(segment.fromMs % width).toBe(0);
          expect(segment.toMs % width).toBe(0);
          if (step === 'minute') expect(segment.from).toBe('rows');
          if (step === 'hour') expect(segment.from).not.toBe('day');
          at = segment.toMs;
        }
        expect(at).toBe(Math.max(toMs, fromMs));
      }),
    );
  });

  it('reads rows for less than an hour at each end only', () => {
    fc.assert(
      fc.property(
        instant,
        instant,
        fc.constantFrom(null, 'hour' as const, 'day' as const),
        (fromMs, toMs, step) => {
          const rows = planSegments({ fromMs, toMs }, step, 'auto').filter(
            (segment) => segment.from === 'rows',
          );
          for (const segment of rows) expect(segment.toMs - segment.fromMs).toBeLessThan(2 * HOUR_MS);
        },
      ),
    );
  });

  it('takes days, hours beside them and rows at the ends', () => {
    const filter = { fromMs: START - 90 * 60_000, toMs: START + 2 * DAY_MS + 3 * HOUR_MS + 1 };
    expect(planSegments(filter, null, 'auto')).toEqual([
      { from: 'rows', fromMs: filter.fromMs, toMs: START - HOUR_MS },
      { from: 'hour', fromMs: START - HOUR_MS, toMs: START },
      { from: 'day', fromMs: START, toMs: START + 2 * DAY_MS },
      { from: 'hour', fromMs: START + 2 * DAY_MS, toMs: filter.toMs - 1 },
      { from: 'rows', fromMs: filter.toMs - 1, toMs: filter.toMs },
    ]);
  });

  it('takes rows for tags, which rollups do not know', () => {
    const filter = { fromMs: START, toMs: START + DAY_MS, tags: ['t'] };
    expect(planSegments(filter, 'day', 'auto')).toEqual([
      { from: 'rows', fromMs: START, toMs: START + DAY_MS },
    ]);
    expect(() => planSegments(filter, 'day', 'rollups')).toThrow(/whole UTC hours/);
  });
});
