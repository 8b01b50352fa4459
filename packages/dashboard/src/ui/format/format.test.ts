import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatExactCount, formatPercent, plural } from './count.ts';
import { pointsDelta, relativeDelta } from './delta.ts';
import { formatDuration } from './duration.ts';
import { formatAgo, formatBucket, formatUtcDay } from './time.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('counts', () => {
  it.each([
    [0, '0'],
    [982, '982'],
    [9999, '9,999'],
    [12_400, '12.4 k'],
    [128_000, '128 k'],
    [999_400, '999 k'],
    [999_600, '1.00 M'],
    [1_284_000, '1.28 M'],
    [12_840_000, '12.8 M'],
    [999_600_000, '1.00 B'],
    [3_050_000_000, '3.05 B'],
  ])('%i reads %s', (value, text) => {
    expect(plain(formatCount(value))).toBe(text);
  });

  it('never reads a thousand of a unit', () => {
    fc.assert(fc.property(fc.nat(2_000_000_000), (value) => !/^1000 /.test(plain(formatCount(value)))));
  });

  it('gives exact counts, shares, sizes and nouns', () => {
    expect(formatExactCount(1_284_500)).toBe('1,284,500');
    expect([0, 0.0004, 0.043, 0.8822, 0.9996, 1].map((ratio) => plain(formatPercent(ratio)))).toEqual([
      '0 %',
      '< 0.1 %',
      '4.3 %',
      '88.2 %',
      '100 %',
      '100 %',
    ]);
    expect(plural(1, 'request')).toBe('1 request');
    expect(plural(1200, 'entry', 'entries')).toBe('1,200 entries');
    expect(plain(formatBytes(14_541))).toBe('14.2 KiB');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [842, '842 ms'],
    [1284, '1.28 s'],
    [9996, '10.0 s'],
    [12_400, '12.4 s'],
    [59_960, '1 m 00 s'],
    [124_000, '2 m 04 s'],
  ])('%i ms reads %s', (ms, text) => {
    expect(plain(formatDuration(ms))).toBe(text);
  });
});

describe('deltas', () => {
  it('says how a figure moved', () => {
    expect(plain(relativeDelta(112, 100)?.text ?? '')).toBe('+12.0 %');
    expect(plain(relativeDelta(50, 100)?.text ?? '')).toBe('−50.0 %');
    expect(relativeDelta(1500, 100)?.text).toBe('+14×');
    expect(relativeDelta(100, 100)).toEqual({ text: 'no change', direction: 'flat' });
    expect(relativeDelta(0, 0)).toEqual({ text: 'no change', direction: 'flat' });
    expect(plain(pointsDelta(0.91, 0.88).text)).toBe('+3.0 pts');
  });

  it('has no percentage for a rise from nothing', () => {
    expect(relativeDelta(5, 0)).toBeNull();
  });
});

describe('times', () => {
  it('says how long ago', () => {
    const now = Date.UTC(2026, 10, 22, 12);
    const ago = (ms: number): string => formatAgo(now - ms, now);
    expect([0, 40_000, 300_000, 3 * 3_600_000, 47 * 3_600_000, 12 * 86_400_000].map(ago)).toEqual([
      'just now',
      '40 s ago',
      '5 min ago',
      '3 h ago',
      '47 h ago',
      '12 d ago',
    ]);
    expect(formatAgo(now + 12.5 * 86_400_000, now)).toBe('in 12 d');
  });

  it('names UTC days whatever the local zone', () => {
    expect(formatUtcDay(Date.UTC(2026, 10, 22, 0))).toBe('22 Nov');
    expect(formatBucket(Date.UTC(2026, 10, 22), 'day')).toBe('22 Nov (UTC day)');
  });
});
