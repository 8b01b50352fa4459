import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNanoUsd, parseUsd } from './money.ts';

describe('money', () => {
  it('formats without trailing zeros and without losing a nano-dollar', () => {
    expect(formatNanoUsd(59_300_000n)).toBe('0.0593');
    expect(formatNanoUsd(1n)).toBe('0.000000001');
    expect(formatNanoUsd(-1_500_000_000n)).toBe('-1.5');
    expect(formatNanoUsd(0n)).toBe('0');
  });

  it('round-trips every amount', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 23n), max: 10n ** 23n }),
        (nano) => parseUsd(formatNanoUsd(nano)) === nano,
      ),
    );
  });

  it('refuses what is not an amount', () => {
    for (const text of ['', '1e3', '1.0000000001', '.5', '1.', '0x1', ' 1'])
      expect(() => parseUsd(text)).toThrow(RangeError);
  });
});
