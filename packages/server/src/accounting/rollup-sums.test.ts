import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { usageEvent } from '@tallygate/testkit/usage-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSums,
  bucketStart,
  DAY_MS,
  detailKeyOf,
  emptySums,
  GRAINS,
  grainFor,
  HOUR_MS,
  MEASURE_COUNT,
  MEASURES,
  RollupBuilder,
  type RollupCell,
  rollUp,
  type SeriesDimension,
  type Sums,
  seriesKeyOf,
  seriesOf,
  subtractSums,
} from './rollup.ts';
import type { UsageEvent } from './usage-event.ts';

const MIDNIGHT = Date.UTC(2026, 10, 22);
const FULL: UsageEvent = usageEvent({
  workspaceId: 'w',
  projectId: 'p',
  apiKeyId: 'k',
  userId: 'u',
  source: 'gateway',
  provider: 'acme',
  accountId: 'a',
  modelServed: 'm',
  status: 'ok',
  startedAtMs: MIDNIGHT,
});

/** Rows that share few series and few hours, so that most cells hold several of them. */
const crowded = fc.array(
  fc
    .record({
      parentId: fc.constantFrom(null, null, null, 'parent'),
      projectId: fc.constantFrom('p1', 'p2'),
      modelServed: fc.constantFrom('m1', null),
      status: fc.constantFrom('ok' as const, 'timeout' as const),
      startedAtMs: fc.constantFrom(MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + HOUR_MS - 1, MIDNIGHT + HOUR_MS),
      costNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n }), { nil: null, freq: 4 }),
      weightedTokens: fc.option(fc.nat(1_000_000), { nil: null, freq: 4 }),
      latencyMs: fc.option(fc.nat(90_000_000), { nil: null }),
      ttftMs: fc.option(fc.nat(100), { nil: null }),
      priceStatus: fc.constantFrom('priced' as const, 'unpriced' as const, 'free' as const),
      settleStatus: fc.constantFrom('final' as const, 'estimated' as const, 'interrupted' as const),
      tokens: fc
        .record(
          Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, fc.option(fc.nat(9999), { nil: null })])),
        )
        .map((counts): UsageEvent['tokens'] => ({ ...usageEvent({}).tokens, ...counts })),
    })
    .map((change) => usageEvent(change)),
  { maxLength: 30 },
);

/** What a measure adds up to, row by row, without the code under test. */
const PLAIN: Record<string, (row: UsageEvent) => number> = {
  events: () => 1,
  requests: (row) => (row.parentId === null ? 1 : 0),
  errors: (row) => (row.parentId === null && row.status === 'timeout' ? 1 : 0),
  unpricedRequests: (row) => (row.priceStatus === 'unpriced' ? 1 : 0),
  unpricedTokens: (row) =>
    row.priceStatus === 'unpriced'
      ? TOKEN_BUCKETS.reduce((sum, bucket) => sum + (row.tokens[bucket] ?? 0), 0)
      : 0,
  estimatedRequests: (row) => (row.settleStatus === 'estimated' ? 1 : 0),
  interruptedRequests: (row) => (row.settleStatus === 'interrupted' ? 1 : 0),
  weightedTokens: (row) => row.weightedTokens ?? 0,
  ...Object.fromEntries(
    TOKEN_BUCKETS.map((bucket) => [bucket, (row: UsageEvent) => row.tokens[bucket] ?? 0]),
  ),
};

function expectSums(cell: RollupCell, rows: readonly UsageEvent[]): void {
  for (const [index, name] of MEASURES.entries()) {
    const total = rows.reduce((sum, row) => sum + (PLAIN[name]?.(row) ?? Number.NaN), 0);
    expect([name, cell.measures[index]]).toEqual([name, total]);
  }
  expect(cell.costNanoUsd).toBe(rows.reduce((sum, row) => sum + (row.costNanoUsd ?? 0n), 0n));
  const timed = (of: 'latencyMs' | 'ttftMs') =>
    rows.filter((row) => row.parentId === null && row[of] !== null).length;
  const held = (bins: Sums['latencyBins']) => [...bins.values()].reduce((sum, count) => sum + count, 0);
  expect([held(cell.latencyBins), held(cell.ttftBins)]).toEqual([timed('latencyMs'), timed('ttftMs')]);
}

describe('every cell is the plain sum of its rows (TW-21)', () => {
  it('in every measure, in money and in measurements, at every grain and step', () => {
    let shared = 0;
    fc.assert(
      fc.property(crowded, (rows) => {
        for (const cell of rollUp(rows)) {
          const width = cell.step === 'hour' ? HOUR_MS : DAY_MS;
          const { dimensions: d, grain } = cell.series;
          const own = rows.filter((row) => {
            if (row.startedAtMs < cell.bucketMs || row.startedAtMs >= cell.bucketMs + width) return false;
            const caller = row.projectId === d.projectId;
            const served = row.modelServed === d.modelServed && row.status === d.status;
            return (
              (grain === 'all' || grain === 'served' || caller) &&
              (grain === 'all' || grain === 'caller' || served)
            );
          });
          if (own.length > 1) shared += 1;
          expectSums(cell, own);
        }
      }),
      { numRuns: 150 },
    );
    expect(shared).toBeGreaterThan(500);
  });

  it('and each grain and step holds every row exactly once', () => {
    fc.assert(
      fc.property(crowded, (rows) => {
        const cells = rollUp(rows);
        for (const grain of GRAINS) {
          for (const step of ['hour', 'day'] as const) {
            const own = cells.filter((cell) => cell.series.grain === grain && cell.step === step);
            expect(own.reduce((sum, cell) => sum + (cell.measures[0] ?? 0), 0)).toBe(rows.length);
          }
        }
      }),
    );
  });

  it('rows may come one at a time, and be asked for in between', () => {
    fc.assert(
      fc.property(crowded, (rows) => {
        const builder = new RollupBuilder();
        for (const row of rows) {
          builder.add(row);
          builder.cells();
        }
        expect(builder.cells()).toEqual(rollUp(rows));
      }),
    );
  });

  it('adding one sum to another changes neither the other nor what nothing is', () => {
    fc.assert(
      fc.property(crowded, (rows) => {
        const total = emptySums();
        const cells = rollUp(rows);
        const before = structuredClone(
          cells.map(({ measures, costNanoUsd, latencyBins }) => [measures, costNanoUsd, latencyBins]),
        );
        for (const cell of cells) addSums(total, cell);
        for (const cell of cells) subtractSums(total, cell);
        expect(total).toEqual(emptySums());
        expect(
          cells.map(({ measures, costNanoUsd, latencyBins }) => [measures, costNanoUsd, latencyBins]),
        ).toEqual(before);
        expect(emptySums().measures).toHaveLength(MEASURE_COUNT);
      }),
    );
  });
});

describe('hours and days', () => {
  it('begin at the whole hour and at UTC midnight, and end right before the next', () => {
    expect(bucketStart(MIDNIGHT, HOUR_MS)).toBe(MIDNIGHT);
    expect(bucketStart(MIDNIGHT + HOUR_MS - 1, HOUR_MS)).toBe(MIDNIGHT);
    expect(bucketStart(MIDNIGHT + HOUR_MS, HOUR_MS)).toBe(MIDNIGHT + HOUR_MS);
    expect(bucketStart(MIDNIGHT - 1, DAY_MS)).toBe(MIDNIGHT - DAY_MS);
    expect(bucketStart(MIDNIGHT + DAY_MS - 1, DAY_MS)).toBe(MIDNIGHT);
    // Before 1970 as well: a clock that is wrong must not put two hours into one.
    expect(bucketStart(-1, HOUR_MS)).toBe(-HOUR_MS);
    expect(bucketStart(-HOUR_MS, HOUR_MS)).toBe(-HOUR_MS);
  });

  it('a row of the last millisecond is in the old hour and day, the next in the new', () => {
    const cells = rollUp([MIDNIGHT - 1, MIDNIGHT].map((startedAtMs) => usageEvent({ startedAtMs })));
    const starts = (step: string) =>
      cells.filter((cell) => cell.step === step && cell.series.grain === 'all').map((cell) => cell.bucketMs);
    expect(starts('hour')).toEqual([MIDNIGHT - HOUR_MS, MIDNIGHT]);
    expect(starts('day')).toEqual([MIDNIGHT - DAY_MS, MIDNIGHT]);
  });
});

describe('what is stored must never change', () => {
  it('the measures, in this order', () => {
    expect(MEASURES.slice(0, 8)).toEqual([
      'events',
      'requests',
      'errors',
      'unpricedRequests',
      'unpricedTokens',
      'estimatedRequests',
      'interruptedRequests',
      'weightedTokens',
    ]);
    expect(MEASURES.slice(8)).toEqual([...TOKEN_BUCKETS]);
  });

  it('what a grain knows of a row, and the text that its number is filed under', () => {
    const known = GRAINS.map((grain) => [grain, seriesOf(FULL, grain).dimensions]);
    const none = { projectId: null, apiKeyId: null, userId: null };
    const nothing = { source: null, provider: null, accountId: null, modelServed: null, status: null };
    const caller = { projectId: 'p', apiKeyId: 'k', userId: 'u' };
    const served = { source: 'gateway', provider: 'acme', accountId: 'a', modelServed: 'm', status: 'ok' };
    expect(known).toEqual([
      ['detail', { workspaceId: 'w', ...caller, ...served }],
      ['served', { workspaceId: 'w', ...none, ...served }],
      ['caller', { workspaceId: 'w', ...caller, ...nothing }],
      ['all', { workspaceId: 'w', ...none, ...nothing }],
    ]);
    const text = (change: Partial<UsageEvent>, grain: (typeof GRAINS)[number] = 'detail') =>
      seriesKeyOf(seriesOf({ ...FULL, ...change }, grain))
        .replaceAll('\u001f', '|')
        .replaceAll('\u0000', '-');
    expect(text({})).toBe('detail|w|p|k|u|gateway|acme|a|m|ok');
    expect(text({ apiKeyId: null, userId: null, accountId: null, modelServed: null })).toBe(
      'detail|w|p|-|-|gateway|acme|-|-|ok',
    );
    expect(text({ apiKeyId: '', userId: '', accountId: '', modelServed: '' })).toBe(
      'detail|w|p|||gateway|acme|||ok',
    );
    expect(text({}, 'served')).toBe('served|w|-|-|-|gateway|acme|a|m|ok');
    expect(text({}, 'caller')).toBe('caller|w|p|k|u|-|-|-|-|-');
    expect(text({}, 'all')).toBe('all|w|-|-|-|-|-|-|-|-');
  });

  it('the short way to the key of a row is the long one', () => {
    const word = fc.option(fc.string({ maxLength: 3 }), { nil: null });
    const rows = fc.record({ apiKeyId: word, userId: word, accountId: word, modelServed: word });
    fc.assert(
      fc.property(rows, (change) => {
        const row = { ...FULL, ...change };
        expect(detailKeyOf(row)).toBe(seriesKeyOf(seriesOf(row, 'detail')));
      }),
    );
  });
});

describe('the grain that a question needs', () => {
  const CALLER: SeriesDimension[] = ['projectId', 'apiKeyId', 'userId'];
  const SERVED: SeriesDimension[] = ['source', 'provider', 'accountId', 'modelServed', 'status'];

  it('is the coarsest that knows every dimension in it', () => {
    expect(grainFor([])).toBe('all');
    for (const one of CALLER) expect(grainFor([one])).toBe('caller');
    for (const one of SERVED) expect(grainFor([one])).toBe('served');
    expect(grainFor(CALLER)).toBe('caller');
    expect(grainFor(new Set(SERVED))).toBe('served');
    for (const one of CALLER) for (const other of SERVED) expect(grainFor([one, other])).toBe('detail');
  });

  it('always tells apart what the question asks for', () => {
    fc.assert(
      fc.property(fc.subarray([...CALLER, ...SERVED]), (dimensions) => {
        const { dimensions: known } = seriesOf(FULL, grainFor(dimensions));
        for (const dimension of dimensions) expect(known[dimension]).toBe(FULL[dimension]);
      }),
    );
  });
});
