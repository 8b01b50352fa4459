import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countFilters, parseFilters, toggleFilter, withoutFilters } from './filters.ts';
import { parseOpened } from './opened.ts';
import { parseSearch, stringifySearch } from './search-params.ts';
import { brushedRange, parseRangeSearch, previousLabel, resolveRange, stepFor } from './time-range.ts';
import { parseOverviewSearch } from './view-search.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 30, 20);
const HOUR = 3_600_000;

describe('range', () => {
  it('defaults to the last 24 hours and leaves the default out of the URL', () => {
    expect(parseRangeSearch({ range: '24h' })).toEqual({});
    const range = resolveRange({}, NOW);
    expect(range.toMs - range.fromMs).toBe(24 * HOUR);
    expect(range.toMs).toBe(Date.UTC(2026, 10, 22, 12, 31));
  });

  it('moves in whole minutes, so that two readings ask the same question', () => {
    expect(resolveRange({ range: '1h' }, NOW)).toEqual(resolveRange({ range: '1h' }, NOW + 9000));
  });

  it.each([
    [{ range: 'forever' }],
    [{ from: 'yesterday', to: 'now' }],
    [{ from: '2026-11-22T10:00:00Z' }],
    [{ from: '2026-11-22T10:00:00Z', to: '2026-11-22T09:00:00Z' }],
    [{ from: 7, to: [] }],
  ])('falls back on the default for %j', (raw) => {
    expect(parseRangeSearch(raw)).toEqual({});
  });

  it('asks for minutes only where the API gives them', () => {
    expect([HOUR, 6 * HOUR, 6 * HOUR + 1, 14 * 24 * HOUR, 15 * 24 * HOUR].map(stepFor)).toEqual([
      'minute',
      'minute',
      'hour',
      'hour',
      'day',
    ]);
  });

  it('widens a brushed span to whole buckets', () => {
    expect(brushedRange(NOW, NOW + HOUR, 'hour')).toEqual({
      from: '2026-11-22T12:00:00.000Z',
      to: '2026-11-22T14:00:00.000Z',
    });
    expect(brushedRange(NOW, NOW + 1000, 'minute').to).toBe('2026-11-22T12:35:00.000Z');
  });

  it('says against what a figure is compared', () => {
    const label = (search: object): string =>
      previousLabel(resolveRange(search, NOW)).replaceAll('\u00a0', ' ');
    expect(label({})).toBe('previous 24 h');
    expect(label({ range: '1h' })).toBe('previous hour');
    expect(label({ range: '30d' })).toBe('previous 30 days');
    expect(label({ from: '2026-11-22T10:00:00Z', to: '2026-11-22T11:30:00Z' })).toBe('previous 90 min');
  });
});

describe('filters', () => {
  it('reads lists, drops repeated and invalid values', () => {
    expect(parseFilters({ model: 'a,b,,a', status: 'ok,nonsense', project: '', other: 'x' })).toEqual({
      model: ['a', 'b'],
      status: ['ok'],
    });
  });

  it('adds and takes away, and forgets an empty filter', () => {
    const one = toggleFilter({}, 'key', 'k1');
    expect(one).toEqual({ key: ['k1'] });
    expect(toggleFilter(one, 'key', 'k1')).toEqual({});
    expect(countFilters(toggleFilter(one, 'model', 'm'))).toBe(2);
  });

  it('leaves the rest of a view when all are taken away, whichever they are', () => {
    const view = { range: '7d' as const, metric: 'tokens', environment: ['test'], project: ['p'] };
    expect(withoutFilters(view)).toEqual({ range: '7d', metric: 'tokens' });
  });

  it('bounds what a link can ask for', () => {
    const many = Array.from({ length: 400 }, (_, i) => `m${i}`).join(',');
    expect(parseFilters({ model: many }).model).toHaveLength(50);
  });
});

describe('what one thing a link is about', () => {
  it('is one short text; anything else is dropped', () => {
    const parse = parseOpened('budget');
    expect(parse({ budget: 'b1', rule: 'r' })).toEqual({ budget: 'b1' });
    for (const budget of ['', 7, ['b'], 'x'.repeat(101)]) expect(parse({ budget })).toEqual({});
  });
});

describe('search text', () => {
  it('survives the way to the URL and back', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/[,\s]/.test(text) && text.trim() !== '');
    fc.assert(
      fc.property(fc.uniqueArray(value, { minLength: 1, maxLength: 5 }), (model) => {
        const search = parseOverviewSearch({ model, metric: 'tokens', range: '7d' });
        expect(parseOverviewSearch(parseSearch(stringifySearch({ ...search })))).toEqual(search);
      }),
    );
  });

  it('is readable', () => {
    expect(stringifySearch({ range: '7d', model: ['a', 'b'], empty: undefined })).toBe('?range=7d&model=a,b');
  });

  it('leaves defaults out', () => {
    expect(parseOverviewSearch({ metric: 'spend', by: 'model', view: 'chart' })).toEqual({});
  });
});
