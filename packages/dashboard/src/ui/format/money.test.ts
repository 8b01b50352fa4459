import { formatNanoUsd } from '@tallygate/contract/money';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRatePerMillion, formatUsd, formatUsdAxis, formatUsdExact } from './money.ts';

describe('money for reading', () => {
  it.each([
    ['0', '$0.00'],
    ['1284.5', '$1,284.50'],
    ['1284567.891', '$1,284,567.89'],
    ['1', '$1.00'],
    ['0.999999999', '$1.00'],
    ['0.9994', '$0.999'],
    ['0.5', '$0.50'],
    ['0.0372', '$0.0372'],
    ['0.000214', '$0.000214'],
    ['0.000000001', '$0.000000001'],
    ['0.00009996', '$0.0001'],
    ['-1284.5', '−$1,284.50'],
    ['-0.0372', '−$0.0372'],
    ['99999999999999.99', '$99,999,999,999,999.99'],
  ])('%s reads %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });

  it('never strays from the exact amount by more than half a cent, or half of the third digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (nano) => {
        const shown = formatUsd(formatNanoUsd(nano)).replace(/[$,]/g, '');
        const [whole = '0', fraction = ''] = shown.split('.');
        const back = BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(9, '0'));
        const off = back > nano ? back - nano : nano - back;
        const bound = nano >= 10n ** 9n ? 5_000_000n : nano / 199n + 1n;
        return off <= bound && (nano === 0n || back > 0n);
      }),
    );
  });
});

describe('money, exact', () => {
  it.each([
    ['1284.5', '$1,284.50'],
    ['0.000000001', '$0.000000001'],
    ['1234567.123456789', '$1,234,567.123456789'],
    ['-2', '−$2.00'],
  ])('%s reads %s', (usd, text) => {
    expect(formatUsdExact(usd)).toBe(text);
  });

  it('loses no digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 23n }), (nano) => {
        const [whole = '', fraction = ''] = formatUsdExact(formatNanoUsd(nano))
          .replace(/[$,]/g, '')
          .split('.');
        return BigInt(whole) * 10n ** 9n + BigInt(fraction.padEnd(9, '0')) === nano;
      }),
    );
  });
});

it('shows rates per million tokens', () => {
  expect(formatRatePerMillion('3000000')).toBe('$3.00');
  expect(formatRatePerMillion('75000')).toBe('$0.075');
});

it('keeps axis labels short', () => {
  expect([0, 0.005, 0.25, 0.5, 1, 40, 1200, 2_500_000].map(formatUsdAxis)).toEqual([
    '$0',
    '$0.005',
    '$0.25',
    '$0.50',
    '$1',
    '$40',
    '$1.2k',
    '$2.5M',
  ]);
});
