import { unknownTokens } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addTokens,
  CountReader,
  decimalText,
  errorTypeOf,
  parseObject,
  plus,
  scaledText,
} from './usage-fields.ts';

describe('counts', () => {
  it.each([0, 1, 1e12])('takes %d', (value) => {
    const read = new CountReader();
    expect(read.count({ n: value }, 'n')).toBe(value);
    expect(read.broken).toBe(false);
  });

  it.each([undefined, null])('takes %s as unsaid', (value) => {
    const read = new CountReader();
    expect(read.count({ n: value }, 'n')).toBeNull();
    expect(read.count(null, 'n')).toBeNull();
    expect(read.broken).toBe(false);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e12 + 1, '5', true, [], {}, 5n])(
    'refuses %s',
    (value) => {
      const read = new CountReader();
      expect(read.count({ n: value }, 'n')).toBeNull();
      expect(read.broken).toBe(true);
    },
  );

  it('refuses details that are no object', () => {
    for (const odd of ['x', 5, [], true]) {
      const read = new CountReader();
      expect(read.details({ d: odd }, 'd')).toBeNull();
      expect(read.broken).toBe(true);
    }
  });

  it('stays broken', () => {
    const read = new CountReader();
    read.require(false);
    read.require(true);
    read.count({ n: 1 }, 'n');
    expect(read.broken).toBe(true);
  });

  it('adds what is known', () => {
    expect([plus(1, 2), plus(null, 2), plus(1, null), plus(null, null)]).toEqual([3, 2, 1, null]);
    expect(
      addTokens({ ...unknownTokens(), cacheRead: 1 }, { ...unknownTokens(), cacheRead: 2, inputTool: 0 }),
    ).toEqual({
      ...unknownTokens(),
      cacheRead: 3,
      inputTool: 0,
    });
  });
});

describe('decimal text', () => {
  it.each([
    [0, '0'],
    [0.1, '0.1'],
    [12, '12'],
    [1e-7, '0.0000001'],
    [9.05e-6, '0.00000905'],
    [1.5e-10, '0.00000000015'],
    [1e21, '1000000000000000000000'],
    [1.25e21, '1250000000000000000000'],
  ])('%d is %s', (value, text) => expect(decimalText(value)).toBe(text));

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, {}])('refuses %s', (value) => {
    expect(decimalText(value)).toBeNull();
    expect(scaledText(value, 10)).toBeNull();
  });

  it('is the same number, without an exponent', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e30, noNaN: true }), (value) => {
        const text = decimalText(value);
        expect(text).toMatch(/^\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it.each([
    [37_756_000, '0.0037756'],
    [10_000_000_000, '1'],
    [12_340_000_000, '1.234'],
    [1, '0.0000000001'],
    [0, '0'],
    [1_000_000_000_000, '100'],
  ])('%i ticks are $%s', (ticks, text) => expect(scaledText(ticks, 10)).toBe(text));
});

describe('parsing', () => {
  it.each(['', '[1]', '"x"', 'null', '{', 'undefined'])('makes nothing of %s', (text) => {
    expect(parseObject(text)).toBeNull();
  });

  it('names errors', () => {
    expect(errorTypeOf(null)).toBeNull();
    expect(errorTypeOf(undefined)).toBeNull();
    expect(errorTypeOf({ type: 'server_error', code: 'x' })).toBe('server_error');
    expect(errorTypeOf({ code: 'rate_limit_exceeded' })).toBe('rate_limit_exceeded');
    expect(errorTypeOf({ code: 502 })).toBe('error');
    expect(errorTypeOf('bad')).toBe('error');
  });
});
