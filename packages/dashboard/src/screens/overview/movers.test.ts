import type { BreakdownView } from '@tallygate/contract/api/usage';
import { describe, expect, it } from 'vitest';
import { findMovers } from './movers.ts';

type Rows = BreakdownView['rows'];

/** Only key, label and cost matter here. */
function rows(costs: Record<string, string>): Rows {
  return Object.entries(costs).map(
    ([key, costUsd]) => ({ key, label: `the ${key}`, costUsd }) as Rows[number],
  );
}

describe('findMovers', () => {
  it('puts the largest change first, up or down, new or gone', () => {
    const movers = findMovers(
      { model: rows({ grown: '15', shrunk: '2', added: '7' }) },
      { model: rows({ grown: '10', shrunk: '10', lost: '4' }) },
      10,
    );
    expect(movers.map(({ key, changeUsd, share }) => [key, changeUsd, share])).toEqual([
      ['shrunk', '-8', -0.8],
      ['added', '7', null],
      ['grown', '5', 0.5],
      ['lost', '-4', -1],
    ]);
    expect(movers[0]?.label).toBe('the shrunk');
  });

  it('is exact to the nano-dollar and mixes groups', () => {
    const movers = findMovers(
      { model: rows({ a: '0.000000003' }), key: rows({ k: '0.000000004' }) },
      { model: rows({ a: '0.000000001' }), key: rows({ k: '0.000000001' }) },
      1,
    );
    expect(movers).toEqual([{ group: 'key', key: 'k', label: 'the k', changeUsd: '0.000000003', share: 3 }]);
  });

  it('leaves out what is no news: nothing to compare with, no change, less than a hundredth of the whole', () => {
    expect(findMovers({ model: rows({ a: '5' }) }, { model: [] }, 5)).toEqual([]);
    expect(findMovers({ model: rows({ a: '5' }) }, { model: rows({ a: '5' }) }, 5)).toEqual([]);
    const [only, ...others] = findMovers(
      { model: rows({ big: '100', small: '0.99', edge: '2' }) },
      { model: rows({ big: '100', small: '0', edge: '0.97' }) },
      5,
    );
    expect(only?.key).toBe('edge');
    expect(others).toEqual([]);
  });

  it('never names what has no key, because nothing could be shown of it', () => {
    expect(findMovers({ model: rows({ '': '9' }) }, { model: rows({ '': '1' }) }, 5)).toEqual([]);
  });
});
