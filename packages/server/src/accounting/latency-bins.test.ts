import { createHash } from 'node:crypto';
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
} from './latency-histogram.ts';

const DAY_MS = 86_400_000;
const EDGES_SHA256 = '9763851a05d6f295ff3bfe2c1d758154bc682ec199a9dd72b2100469686af7cf';
const bins = (...pairs: [bin: number, count: number][]): LatencyBins => new Map(pairs);
const read = (text: string): LatencyBins => {
  const into: LatencyBins = new Map();
  addEncodedBins(into, text);
  return into;
};

describe('the edges are stored, so they are the same for ever', () => {
  it('all of them', () => {
    const edges = Array.from({ length: BIN_COUNT }, (_, bin) => binRangeMs(bin).fromMs);
    expect(edges.slice(0, 45)).toEqual([...Array(41).keys(), 42, 44, 46, 48]);
    expect(edges.slice(-3)).toEqual([78_729_574, 82_666_052, DAY_MS]);
    // Every edge between: a change of any of them would corrupt the sums of years.
    expect(createHash('sha256').update(edges.join()).digest('hex')).toBe(EDGES_SHA256);
  });

  it('an edge begins its bin, and the millisecond before it ends the one below', () => {
    for (let bin = 1; bin < BIN_COUNT; bin += 1) {
      const { fromMs } = binRangeMs(bin);
      expect([binOf(fromMs - 1), binOf(fromMs), binOf(fromMs + 0.5)]).toEqual([bin - 1, bin, bin]);
    }
  });

  it('the last bin holds everything from 24 hours on, and its quantile is the 24 hours', () => {
    expect(binOf(DAY_MS - 1)).toBe(BIN_COUNT - 2);
    expect(binOf(DAY_MS)).toBe(BIN_COUNT - 1);
    expect(binRangeMs(BIN_COUNT - 1)).toEqual({ fromMs: DAY_MS, toMs: DAY_MS });
    expect(quantile(bins([BIN_COUNT - 1, 3]), 0.5)).toBe(DAY_MS);
  });
});

describe('nearest rank', () => {
  it.each([
    [0, 1],
    [0.1, 1],
    [0.11, 2],
    [0.5, 5],
    [0.51, 6],
    [0.9, 9],
    [0.95, 10],
    [1, 10],
  ])('of ten measurements, quantile %d is the %i-th', (q, rank) => {
    const ten = bins(...Array.from({ length: 10 }, (_, i): [number, number] => [10 - i, 1]));
    expect(quantile(ten, q)).toBe(rank);
  });

  it('gives the whole millisecond in the middle of a wider bin, rounded down', () => {
    const wide = binOf(100);
    const { fromMs, toMs } = binRangeMs(wide);
    expect(quantile(bins([wide, 1]), 0.5)).toBe(Math.floor((fromMs + toMs) / 2));
    for (let bin = 0; bin < BIN_COUNT; bin += 1) {
      const middle = quantile(bins([bin, 2]), 1) ?? -1;
      expect(Number.isInteger(middle) && binOf(middle) === bin, String(bin)).toBe(true);
    }
  });

  it('counts a bin as often as it was measured', () => {
    expect(quantile(bins([1, 99], [30, 1]), 0.99)).toBe(1);
    expect(quantile(bins([1, 98], [30, 2]), 0.99)).toBe(30);
    expect(countOf(bins([1, 98], [30, 2]))).toBe(100);
    expect(countOf(new Map())).toBe(0);
  });
});

describe('text', () => {
  it.each([
    ['', []],
    ['7', [[7, 1]]],
    ['7:2', [[7, 2]]],
    ['7 7', [[7, 2]]],
    [
      '7:2 8 7:40',
      [
        [7, 42],
        [8, 1],
      ],
    ],
    ['0', [[0, 1]]],
    [
      '0:3 344:2',
      [
        [0, 3],
        [344, 2],
      ],
    ],
    [
      '7  8 ',
      [
        [7, 1],
        [8, 1],
      ],
    ],
    ['7:123456789', [[7, 123_456_789]]],
  ] as [string, [number, number][]][])('%j is read as %j', (text, pairs) => {
    expect([...read(text)]).toEqual(pairs);
  });

  it('is read onto what is there already', () => {
    const into = bins([7, 1], [9, 5]);
    addEncodedBins(into, '7:2 8');
    expect(into).toEqual(bins([7, 3], [8, 1], [9, 5]));
    addMeasuredMs(into, '7 8 8');
    addMeasuredMs(into, '');
    expect(into).toEqual(bins([7, 4], [8, 3], [9, 5]));
  });

  it.each([
    ['', '5', '5'],
    ['5', '', '5'],
    ['5', '5', '5:2'],
    ['5:2', '5', '5:3'],
    ['5', '5:2', '5:3'],
    // A number inside another number, or a count, is not the bin.
    ['15:5 55', '5', '15:5 55 5'],
    ['4:5', '5', '4:5 5'],
    ['5:15', '15', '5:15 15'],
    ['50 5', '5', '50 5:2'],
    ['5:9 6', '5', '5:10 6'],
    ['6 5:9', '5 6', '6:2 5:10'],
    ['105 5:1', '5:4 105:2', '105:3 5:5'],
  ])('%j and %j are %j', (a, b, sum) => {
    expect(sortedBins(mergeEncodedBins(a, b))).toBe(sortedBins(sum));
    expect(sortedBins(mergeEncodedBins(b, a))).toBe(sortedBins(sum));
    expect(mergeEncodedBins(a, b).split(' ').length).toBe(sum.split(' ').length);
  });

  it('is merged alike in place and by reading, whatever the lengths, and never grows a bin twice', () => {
    const text = fc
      .array(fc.tuple(fc.integer({ min: 0, max: BIN_COUNT - 1 }), fc.integer({ min: 1, max: 2000 })), {
        maxLength: 30,
      })
      .map((pairs) => encodeBins(new Map(pairs)));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const merged = mergeEncodedBins(a, b);
        const expected = read(`${a} ${b}`);
        expect(read(merged)).toEqual(expected);
        expect(merged === '' ? 0 : merged.split(' ').length).toBe(expected.size);
        expect(sortedBins(merged)).toBe(sortedBins(`${b} ${a}`));
      }),
      { numRuns: 500 },
    );
  });

  it('holds a count of one without saying so, and no bin that nothing fell into', () => {
    const into: LatencyBins = new Map();
    addToBin(into, 3, 1);
    addToBin(into, 3, 1);
    addToBin(into, 4, 1);
    expect(encodeBins(into)).toBe('3:2 4');
    expect(read('').size).toBe(0);
  });
});
