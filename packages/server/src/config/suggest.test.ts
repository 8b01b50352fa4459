import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

describe('suggest', () => {
  it.each([
    ['prot', 'port'],
    ['pot', 'port'],
    ['portt', 'port'],
    ['hosst', 'host'],
    ['dataDir', 'data_dir'],
    ['DATA-DRI', 'data_dir'],
  ])('%s finds %s', (typed, wanted) => {
    expect(suggest(typed, ['host', 'port', 'data_dir'])).toBe(wanted);
  });

  it('finds nothing in what is not alike', () => {
    expect(suggest('banana', ['host', 'port'])).toBeNull();
    expect(suggest('x', ['host', 'port', 'xy'])).toBeNull();
    expect(suggest('', ['host'])).toBeNull();
  });

  it('takes the nearest of several', () => {
    expect(suggest('ports', ['hosts', 'port'])).toBe('port');
  });
});

describe('editDistance', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });

  it('counts a swap of neighbours once', () => {
    expect(editDistance('prot', 'port')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  it('is zero only for equal words, the same both ways, and bounded by the longer word', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
