import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addEncodedBins,
  addMeasuredMs,
  addToBin,
  BIN_COUNT,
  binOf,
  binRangeMs,
  countOf,
  encodeBins,
  type LatencyBins,
  mergeEncodedBins,
  quantile,
  sortedBins,
  sumMs,
} from './latency-histogram.ts';

const DAY_MS = 86_400_000;
const duration = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: DAY_MS * 2 }));

/** Short and long lists: long texts are read another way. */
const durations = fc.oneof(fc.array(duration), fc.array(duration, { minLength: 150, maxLength: 400 }));

function histogram(values: readonly number[]): LatencyBins {
  const bins: LatencyBins = new Map();
  for (const value of values) addToBin(bins, binOf(value), 1);
  return bins;
}

describe('bins', () => {
  it('never change: they are stored', () => {
    expect(BIN_COUNT).toBe(345);
    const starts = [0, 1, 39, 40, 100, 101, 1_000, 10_000, 60_000, 3_600_000, DAY_MS].map(binOf);
    expect(starts).toEqual([0, 1, 39, 40, 61, 62, 110, 158, 194, 278, 344]);
  });

  it('are at most five per cent wide and leave no gap', () => {
    for (let bin = 0; bin < BIN_COUNT - 1; bin++) {
      const { fromMs, toMs } = binRangeMs(bin);
      expect(toMs).toBeGreaterThanOrEqual(fromMs);
      expect(binRangeMs(bin + 1).fromMs).toBe(toMs + 1);
      if (fromMs > 0) expect((toMs + 1 - fromMs) / fromMs).toBeLessThanOrEqual(fromMs < 20 ? 1 : 0.05);
    }
  });

  it('take every duration into the bin whose range holds it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY_MS - 1 }), (ms) => {
        const { fromMs, toMs } = binRangeMs(binOf(ms));
        expect(ms).toBeGreaterThanOrEqual(fromMs);
        expect(ms).toBeLessThanOrEqual(toMs);
      }),
    );
  });

  it('take what is out of range into the outermost bins', () => {
    expect(binOf(-5)).toBe(0);
    expect(binOf(0.9)).toBe(0);
    expect(binOf(Number.MAX_SAFE_INTEGER)).toBe(BIN_COUNT - 1);
  });
});

describe('sumMs', () => {
  it('is within 2.5 % of the exact sum, whatever was measured', () => {
    expect(sumMs(new Map())).toBe(0);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 80_000_000 }), { minLength: 1 }), (values) => {
        const exact = values.reduce((sum, value) => sum + value, 0);
        expect(Math.abs(sumMs(histogram(values)) - exact)).toBeLessThanOrEqual(exact * 0.025);
      }),
    );
  });
});

describe('quantile', () => {
  it('is null for nothing and exact for small values', () => {
    expect(quantile(new Map(), 0.5)).toBeNull();
    expect(quantile(histogram([7]), 0)).toBe(7);
    expect(quantile(histogram([1, 2, 3, 4]), 0.5)).toBe(2);
    expect(quantile(histogram([1, 2, 3, 4]), 1)).toBe(4);
  });

  it('is within 2.5 % of the nearest-rank quantile', () => {
    const values = fc.array(fc.integer({ min: 0, max: DAY_MS - 1 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
        const found = quantile(histogram(list), q) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.0251 + 0.5);
      }),
    );
  });
});

describe('text form', () => {
  it('comes back as it went, and joined texts are their sum', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const back: LatencyBins = new Map();
        addEncodedBins(back, encodeBins(histogram(a)));
        expect(back).toEqual(histogram(a));
        const joined: LatencyBins = new Map();
        addEncodedBins(joined, `${encodeBins(histogram(a))} ${encodeBins(histogram(b))}`);
        expect(joined).toEqual(histogram([...a, ...b]));
        expect(sortedBins(mergeEncodedBins(encodeBins(histogram(a)), encodeBins(histogram(b))))).toBe(
          sortedBins(encodeBins(histogram([...b, ...a]))),
        );
        expect(countOf(joined)).toBe(a.length + b.length);
      }),
    );
  });

  it('takes a few more into many without mistaking a bin for another', () => {
    expect(mergeEncodedBins('110 11:3 1:11', '11')).toBe('110 11:4 1:11');
    expect(mergeEncodedBins('110 11:3 1:11', '1:2 110:5')).toBe('110:6 11:3 1:13');
    expect(mergeEncodedBins('110 11:3', '3 0:7')).toBe('110 11:3 3 0:7');
    expect(mergeEncodedBins('', '5')).toBe('5');
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 130 })),
        fc.array(fc.integer({ min: 0, max: 130 })),
        (a, b) => {
          const merged = mergeEncodedBins(encodeBins(histogram(a)), encodeBins(histogram(b)));
          expect(sortedBins(merged)).toBe(sortedBins(encodeBins(histogram([...a, ...b]))));
          expect(new Set(merged.split(' ').map((pair) => pair.split(':')[0])).size).toBe(
            merged === '' ? 1 : histogram([...a, ...b]).size,
          );
        },
      ),
    );
  });

  it('has one sorted form, whatever the order of adding', () => {
    expect(sortedBins(encodeBins(histogram([500, 1, 500, 40])))).toBe('1 40 96:2');
    expect(sortedBins('40:1 1 96 96:1')).toBe('1 40 96:2');
    expect(encodeBins(new Map())).toBe('');
  });

  it('reads plain measurements, one by one', () => {
    fc.assert(
      fc.property(durations, (list) => {
        const bins: LatencyBins = new Map();
        addMeasuredMs(bins, list.join(' '));
        expect(bins).toEqual(histogram(list));
      }),
    );
  });
});
