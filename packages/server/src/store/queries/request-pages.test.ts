import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../accounting/rollup.ts';
import { formatCursor, joinDays, parseCursor } from './request-pages.ts';

describe('cursor', () => {
  it('comes back as it went', () => {
    const position = fc.record({ startedAtMs: fc.nat(), ledgerSeq: fc.nat() });
    fc.assert(
      fc.property(position, (one) => {
        expect(parseCursor(formatCursor(one))).toEqual(one);
      }),
    );
  });

  it('of any other text is refused, whatever the text', () => {
    const foreign = fc
      .string()
      .filter((text) => !/^\d+\.\d+$/.test(Buffer.from(text, 'base64url').toString('latin1')));
    fc.assert(
      fc.property(foreign, (text) => {
        expect(() => parseCursor(text)).toThrow(/cursor/);
      }),
    );
  });
});

describe('stretches of a filtered list', () => {
  const day = (n: number, matches: number) => ({ bucket: n * DAY_MS, matches });
  const window = { fromMs: 0, toMs: 100 * DAY_MS, before: null };

  it('join days until they hold a page, so that rare matches cost one query', () => {
    const joined = joinDays([day(90, 1), day(50, 1), day(3, 1), day(2, 9), day(1, 1)], window, 10);
    expect(
      joined.map(({ matches, window: { fromMs, toMs } }) => [matches, fromMs / DAY_MS, toMs / DAY_MS]),
    ).toEqual([
      [12, 2, 91],
      [1, 1, 2],
    ]);
  });

  it('leave days with many matches alone, to be walked in time order', () => {
    const joined = joinDays([day(9, 5_000), day(8, 1_999), day(7, 5), day(6, 1)], window, 501);
    expect(joined.map((stretch) => stretch.matches)).toEqual([5_000, 1_999, 6]);
  });

  it('stand alone where a cursor cuts the day: nobody knows how many matches lie below it', () => {
    const cut = { ...window, toMs: 9 * DAY_MS + 5 };
    const joined = joinDays([day(9, 3), day(8, 3), day(7, 3)], cut, 4);
    expect(joined.map(({ matches, window: { toMs } }) => [matches, toMs])).toEqual([
      [3, 9 * DAY_MS + 5],
      [6, 9 * DAY_MS],
    ]);
  });

  it('never reach outside the window, never overlap, and hold every day once', () => {
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 99 })).map((list) => list.sort((a, b) => b - a));
    fc.assert(
      fc.property(
        days,
        fc.integer({ min: 1, max: 3_000 }),
        fc.integer({ min: 1, max: 501 }),
        (list, matches, wanted) => {
          const joined = joinDays(
            list.map((n) => day(n, matches)),
            window,
            wanted,
          );
          let above = window.toMs;
          for (const stretch of joined) {
            expect(stretch.window.toMs).toBeLessThanOrEqual(above);
            expect(stretch.window.fromMs).toBeLessThan(stretch.window.toMs);
            above = stretch.window.fromMs;
          }
          const inside = list.filter((n) =>
            joined.some(({ window: one }) => n * DAY_MS >= one.fromMs && n * DAY_MS < one.toMs),
          );
          expect(inside).toEqual(list);
          expect(joined.reduce((sum, stretch) => sum + stretch.matches, 0)).toBe(list.length * matches);
        },
      ),
    );
  });
});
