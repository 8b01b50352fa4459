import { SECURITY_KINDS } from '@tallygate/contract/api/security';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR_MS, HourlyCounts, NamedCounts, noCounts, sumOf } from './security-counters.ts';

const NOON_MS = Date.UTC(2026, 10, 22, 12);

describe('counts by hour (NX-10)', () => {
  it('are those of the last 24 hours, oldest first, the running one last', () => {
    const counts = new HourlyCounts();
    counts.add('login_failed', NOON_MS - 1);
    counts.add('login_failed', NOON_MS);
    counts.add('unauthorized', NOON_MS + HOUR_MS - 1);
    const series = counts.series(NOON_MS + HOUR_MS - 1);
    expect(series).toHaveLength(24);
    expect(series.at(-1)).toEqual({
      startMs: NOON_MS,
      counts: { ...noCounts(), login_failed: 1, unauthorized: 1 },
    });
    expect(series.at(-2)).toMatchObject({ startMs: NOON_MS - HOUR_MS, counts: { login_failed: 1 } });
    expect(series[0]?.startMs).toBe(NOON_MS - 23 * HOUR_MS);
  });

  it('sum up over as many hours as are asked for, the running one included', () => {
    const counts = new HourlyCounts();
    for (let hour = 0; hour < 24; hour++) counts.add('forbidden', NOON_MS - hour * HOUR_MS);
    for (const hours of [1, 2, 24]) expect(counts.since(NOON_MS, hours).forbidden).toBe(hours);
    counts.add('forbidden', NOON_MS - 24 * HOUR_MS); // a clock that was set back: too old to count
    expect(counts.since(NOON_MS, 24).forbidden).toBe(24);
  });

  it('agree with a list of everything that happened', () => {
    const event = fc.record({
      kind: fc.constantFrom(...SECURITY_KINDS),
      afterMs: fc.integer({ min: 0, max: 30 * HOUR_MS }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const counts = new HourlyCounts();
        const sorted = [...events].sort((a, b) => a.afterMs - b.afterMs);
        for (const { kind, afterMs } of sorted) counts.add(kind, NOON_MS + afterMs);
        const nowMs = NOON_MS + 30 * HOUR_MS;
        const from = Math.floor(nowMs / HOUR_MS) - 23;
        for (const kind of SECURITY_KINDS) {
          const expected = events.filter(
            (one) => one.kind === kind && Math.floor((NOON_MS + one.afterMs) / HOUR_MS) >= from,
          ).length;
          expect(counts.since(nowMs, 24)[kind]).toBe(expected);
        }
      }),
    );
  });

  it('what is handed out cannot change what is counted', () => {
    const counts = new HourlyCounts();
    counts.add('throttled', NOON_MS);
    const [last] = counts.series(NOON_MS).slice(-1);
    if (last !== undefined) last.counts.throttled = 99;
    expect(counts.since(NOON_MS, 1).throttled).toBe(1);
  });
});

describe('counts by name (NX-10)', () => {
  it('list who did most first, and of equals who came last', () => {
    const counts = new NamedCounts();
    counts.add('a', 'login_failed', NOON_MS);
    counts.add('b', 'login_failed', NOON_MS + 1);
    counts.add('c', 'login_failed', NOON_MS + 2);
    counts.add('a', 'forbidden', NOON_MS + 3);
    expect(counts.list(NOON_MS + 10).map(({ name }) => name)).toEqual(['a', 'c', 'b']);
    expect(counts.list(NOON_MS + 10)[0]).toMatchObject({
      lastMs: NOON_MS + 3,
      lastHour: { login_failed: 1, forbidden: 1 },
    });
  });

  it('forget who was not seen for a day', () => {
    const counts = new NamedCounts();
    counts.add('a', 'login_failed', NOON_MS);
    expect(counts.list(NOON_MS + 24 * HOUR_MS - 1)).toHaveLength(1);
    expect(counts.list(NOON_MS + 24 * HOUR_MS)).toEqual([]);
  });

  it('tell what happened around the full hour as one: the running hour and the one before', () => {
    const counts = new NamedCounts();
    counts.add('a', 'login_failed', NOON_MS - 1);
    counts.add('a', 'login_failed', NOON_MS);
    expect(counts.list(NOON_MS)[0]?.lastHour.login_failed).toBe(2);
    expect(counts.list(NOON_MS + HOUR_MS)[0]?.lastHour.login_failed).toBe(1);
    expect(counts.list(NOON_MS + HOUR_MS)[0]?.lastDay.login_failed).toBe(2);
  });

  it('stay bounded: new names push out who did least, never who hammers', () => {
    const counts = new NamedCounts();
    for (let i = 0; i < 50; i++) counts.add('hammer', 'login_failed', NOON_MS);
    for (let i = 0; i < 3; i++) counts.add('thrice', 'login_failed', NOON_MS);
    for (let i = 0; i < 5_000; i++) counts.add(`once${i}`, 'login_failed', NOON_MS);
    const listed = counts.list(NOON_MS);
    expect(listed).toHaveLength(500);
    expect(listed.slice(0, 2).map(({ name, lastDay }) => [name, sumOf(lastDay)])).toEqual([
      ['hammer', 50],
      ['thrice', 3],
    ]);
  });

  it('who is gone for a day gives way first, however much they did', () => {
    const counts = new NamedCounts();
    for (let i = 0; i < 50; i++) counts.add('yesterday', 'login_failed', NOON_MS);
    const nowMs = NOON_MS + 25 * HOUR_MS;
    for (let i = 0; i < 500; i++) counts.add(`today${i}`, 'login_failed', nowMs);
    expect(counts.list(nowMs)).toHaveLength(500);
  });

  it('cut a name to a length that cannot fill the memory', () => {
    const counts = new NamedCounts();
    counts.add('x'.repeat(10_000), 'forbidden', NOON_MS);
    counts.add(`${'x'.repeat(100)}y`, 'forbidden', NOON_MS);
    expect(counts.list(NOON_MS).map(({ name, lastDay }) => [name.length, lastDay.forbidden])).toEqual([
      [100, 2],
    ]);
  });

  it('take any text for a name', () => {
    const counts = new NamedCounts();
    for (const name of ['__proto__', 'constructor', '', 'a\u0000b']) counts.add(name, 'forbidden', NOON_MS);
    expect(counts.list(NOON_MS)).toHaveLength(4);
  });
});
