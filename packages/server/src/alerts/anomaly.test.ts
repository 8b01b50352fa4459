import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baselineOf, findAnomaly, type HourlyValues, isAnomalous } from './anomaly.ts';

const NOW = 500_000;
const options = { metric: 'tokens', sensitivity: 'medium' } as const;

/** Hours up to, not including, `NOW`. */
function history(hours: number, valueAt: (hour: number) => number): Map<number, number> {
  return new Map(Array.from({ length: hours }, (_, index) => [NOW - 1 - index, valueAt(NOW - 1 - index)]));
}
const withNow = (values: HourlyValues, value: number): Map<number, number> =>
  new Map([...values, [NOW, value]]);
const anomalous = (values: HourlyValues, value: number): boolean => {
  const found = findAnomaly(withNow(values, value), NOW, options);
  return found !== null && found !== 'unknown' && found.hour === NOW;
};

describe('anomalies (CF-13)', () => {
  it('says nothing without a week of history, and nothing about nothing', () => {
    expect(findAnomaly(new Map(), NOW, options)).toBe('unknown');
    const values = history(6 * 24, () => 1_000);
    expect(findAnomaly(withNow(values, 10_000_000), NOW, options)).toBe('unknown');
    expect(
      anomalous(
        history(7 * 24, () => 1_000),
        10_000_000,
      ),
    ).toBe(true);
  });

  it('compares with the same hour: a busy night every night is no anomaly, at noon it is one', () => {
    const nightly = (hour: number): number => (hour % 24 === NOW % 24 ? 1_000_000 : 1_000);
    const values = history(14 * 24, nightly);
    expect(anomalous(values, 1_100_000)).toBe(false);
    const noon = new Map([...values].map(([hour, value]) => [hour + 12, value]));
    expect(findAnomaly(new Map([...noon, [NOW, 1_100_000]]), NOW, options)).toMatchObject({ hour: NOW });
  });

  it('with four weeks compares with the same hour of the week', () => {
    const weekly = (hour: number): number => (hour % 168 === NOW % 168 ? 500_000 : 10);
    const values = history(4 * 168, weekly);
    expect(baselineOf(values, NOW)).toMatchObject({ usual: 500_000, season: 'hour of the week', samples: 4 });
    expect(anomalous(values, 520_000)).toBe(false);
    expect(baselineOf(history(3 * 168, weekly), NOW)?.season).toBe('hour of the day');
  });

  it('says since when: the first hour of the unbroken run', () => {
    const values = history(14 * 24, (hour) => (hour > NOW - 4 ? 900_000 : 1_000));
    expect(findAnomaly(withNow(values, 900_000), NOW, options)).toMatchObject({
      hour: NOW,
      value: 900_000,
      sinceHour: NOW - 3,
      baseline: { usual: 1_000 },
    });
  });

  it('does not forget as the hour turns, and ends an hour later', () => {
    const values = history(14 * 24, (hour) => (hour === NOW - 1 ? 900_000 : 1_000));
    expect(findAnomaly(withNow(values, 0), NOW, options)).toMatchObject({ hour: NOW - 1 });
    expect(findAnomaly(new Map([...values, [NOW, 1_000]]), NOW + 1, options)).toBeNull();
  });

  it('what is usual is never an anomaly, however it is spread', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000_000), { minLength: 14, maxLength: 14 }), fc.nat(13), (days, pick) => {
        const values = history(14 * 24, (hour) => days[Math.floor((NOW - 1 - hour) / 24)] ?? 0);
        const baseline = baselineOf(values, NOW);
        if (baseline === null) return false;
        // Nothing at or below the usual value, and no value of a history that is even.
        const even = history(14 * 24, () => days[pick] ?? 0);
        return !anomalous(values, baseline.usual) && !anomalous(even, days[pick] ?? 0);
      }),
    );
  });

  it('more is never less unusual', () => {
    const baseline = fc.record({ usual: fc.nat(1_000_000), scale: fc.nat(1_000_000) });
    fc.assert(
      fc.property(baseline, fc.nat(50_000_000), fc.nat(50_000_000), (part, value, more) => {
        const full = { ...part, season: 'hour of the day' as const, samples: 7 };
        return !isAnomalous(value, full, options) || isAnomalous(value + more, full, options);
      }),
    );
  });

  it('one wild hour in the past hides nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), fc.nat(1_000_000_000), (day, wild) => {
        const values = history(14 * 24, (hour) => (hour === NOW - day * 24 ? wild : 1_000));
        return anomalous(values, 900_000) && !anomalous(values, 1_100);
      }),
    );
  });

  it('a higher sensitivity finds whatever a lower one finds', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(50_000), fc.nat(5_000_000), (usual, scale, value) => {
        const baseline = { usual, scale, season: 'hour of the day' as const, samples: 9 };
        const at = (sensitivity: 'low' | 'medium' | 'high') =>
          isAnomalous(value, baseline, { metric: 'tokens', sensitivity });
        return (!at('low') || at('medium')) && (!at('medium') || at('high'));
      }),
    );
  });
});
