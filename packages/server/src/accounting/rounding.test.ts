import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nanoFromPico, nanoFromSafePico, scaleHalfEven } from './rounding.ts';

describe('pico- to nano-dollars', () => {
  it.each([
    [0n, 0n],
    [500n, 0n],
    [501n, 1n],
    [1500n, 2n],
    [2500n, 2n],
    [-500n, 0n],
    [-501n, -1n],
    [-1500n, -2n],
    [-2500n, -2n],
    [9_007_199_254_740_992_500n, 9_007_199_254_740_992n],
    [9_007_199_254_740_993_500n, 9_007_199_254_740_994n],
  ])('%s pico → %s nano', (pico, nano) => expect(nanoFromPico(pico)).toBe(nano));

  it('is never further off than half, and even at half', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (pico) => {
        const off = nanoFromPico(pico) * 1000n - pico;
        expect(off <= 500n && off >= -500n).toBe(true);
        if (off === 500n || off === -500n) expect(nanoFromPico(pico) % 2n).toBe(0n);
      }),
    );
  });

  it('is the same with and without BigInt', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (pico) => {
        const [quotient, rest] = [BigInt(pico) / 1000n, BigInt(pico) % 1000n];
        const expected = rest > 500n || (rest === 500n && quotient % 2n === 1n) ? quotient + 1n : quotient;
        expect(nanoFromSafePico(pico)).toBe(expected);
        expect(nanoFromPico(BigInt(pico))).toBe(expected);
      }),
    );
  });
});

describe('scaling a rate', () => {
  it.each([
    [100, 1, 2, 50],
    [3, 1, 2, 2],
    [1, 1, 2, 0],
    [5, 1, 2, 2],
    [10, 11, 10, 11],
    [1, 11, 10, 1],
    [5, 11, 10, 6],
    [15, 11, 10, 16],
    [7, 5, 3, 12],
  ])('%i × %i/%i = %i', (value, num, den, expected) => expect(scaleHalfEven(value, num, den)).toBe(expected));

  it('is the nearest whole number, even where two are as near, and never more for less (property)', () => {
    const factor = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(fc.nat(2 ** 42), factor, factor, (value, num, den) => {
        const scaled = scaleHalfEven(value, num, den);
        const twiceOff = (BigInt(scaled) * BigInt(den) - BigInt(value) * BigInt(num)) * 2n;
        const off = twiceOff < 0n ? -twiceOff : twiceOff;
        expect(off <= BigInt(den)).toBe(true);
        if (off === BigInt(den)) expect(scaled % 2).toBe(0);
        expect(scaleHalfEven(value + 1, num, den)).toBeGreaterThanOrEqual(scaled);
      }),
      { numRuns: 500 },
    );
  });
});
