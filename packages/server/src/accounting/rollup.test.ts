import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { usageEvent } from '@tallygate/testkit/usage-events';
import { sumUp } from '@tallygate/testkit/usage-oracle';
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
  MEASURES,
  measureIndexOf,
  measuresOf,
  rollUp,
  seriesKeyOf,
  seriesOf,
  subtractSums,
} from './rollup.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const measure = (measures: readonly number[], name: (typeof MEASURES)[number]) =>
  measures[MEASURES.indexOf(name)];

const event = fc
  .record({
    parentId: fc.constantFrom(null, null, 'parent'),
    projectId: fc.constantFrom('p1', 'p2'),
    apiKeyId: fc.constantFrom('k1', null),
    userId: fc.constantFrom('u', null),
    accountId: fc.constantFrom('a', null, ''),
    modelServed: fc.constantFrom('m1', 'm2', null),
    status: fc.constantFrom('ok' as const, 'timeout' as const, 'aborted' as const, 'interrupted' as const),
    startedAtMs: fc.integer({ min: NOON - 2 * DAY_MS, max: NOON + 2 * DAY_MS }),
    costNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n }), { nil: null }),
    latencyMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: null }),
    ttftMs: fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: null }),
    priceStatus: fc.constantFrom('priced' as const, 'unpriced' as const),
    settleStatus: fc.constantFrom('final' as const, 'estimated' as const, 'interrupted' as const),
  })
  .map((change) => usageEvent(change));

describe('measures of one row', () => {
  it('count an unpriced row and its tokens, never as zero cost (X-03)', () => {
    const measures = measuresOf(usageEvent({ priceStatus: 'unpriced', costNanoUsd: null }));
    expect(measure(measures, 'unpricedRequests')).toBe(1);
    expect(measure(measures, 'unpricedTokens')).toBe(170);
    expect(measure(measuresOf(usageEvent()), 'unpricedTokens')).toBe(0);
  });

  it('count an interrupted and an estimated row as such, and unknown weights as nothing', () => {
    const marks = (settleStatus: 'final' | 'estimated' | 'interrupted') => {
      const measures = measuresOf(usageEvent({ settleStatus, weightedTokens: null }));
      return [
        measure(measures, 'estimatedRequests'),
        measure(measures, 'interruptedRequests'),
        measure(measures, 'weightedTokens'),
      ];
    };
    expect(marks('final')).toEqual([0, 0, 0]);
    expect(marks('estimated')).toEqual([1, 0, 0]);
    expect(marks('interrupted')).toEqual([0, 1, 0]);
  });

  it('count a sub-call as tokens, not as a request or an error', () => {
    const measures = measuresOf(usageEvent({ parentId: 'p', status: 'upstream_error' }));
    expect(measure(measures, 'events')).toBe(1);
    expect(measure(measures, 'requests')).toBe(0);
    expect(measure(measures, 'errors')).toBe(0);
    expect(measure(measures, 'inputUncached')).toBe(100);
  });

  it.each([
    ['ok', 0],
    ['client_error', 1],
    ['upstream_error', 1],
    ['timeout', 1],
    ['rejected', 1],
    ['aborted', 0],
    ['interrupted', 0],
  ] as const)('%s counts as %i errors', (status, errors) => {
    expect(measure(measuresOf(usageEvent({ status })), 'errors')).toBe(errors);
  });

  it('have a place for every bucket', () => {
    const tokens = Object.fromEntries(TOKEN_BUCKETS.map((bucket, index) => [bucket, 2 ** index]));
    const measures = measuresOf(usageEvent({ tokens: tokens as ReturnType<typeof usageEvent>['tokens'] }));
    for (const [index, bucket] of TOKEN_BUCKETS.entries()) {
      expect(measures[measureIndexOf(bucket)]).toBe(2 ** index);
      expect(measure(measures, bucket)).toBe(2 ** index);
    }
  });
});

describe('rollUp (TW-21)', () => {
  it('adds up to the same totals at every grain and step', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const expected = sumUp(events);
        for (const grain of GRAINS) {
          for (const step of ['hour', 'day'] as const) {
            const cells = rollUp(events).filter((cell) => cell.series.grain === grain && cell.step === step);
            const total = (name: (typeof MEASURES)[number]) =>
              cells.reduce((sum, cell) => sum + (measure(cell.measures, name) ?? 0), 0);
            expect(cells.reduce((sum, cell) => sum + cell.costNanoUsd, 0n)).toBe(expected.costNanoUsd);
            expect(total('events')).toBe(events.length);
            expect(total('requests')).toBe(expected.requests);
            expect(total('unpricedTokens')).toBe(expected.unpricedTokens);
            expect(total('outputVisible')).toBe(expected.tokens.outputVisible);
          }
        }
      }),
    );
  });

  it('puts every row into the cell of its own hour, day and dimensions', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const cells = rollUp(events);
        for (const cell of cells) {
          const width = cell.step === 'hour' ? HOUR_MS : DAY_MS;
          const own = events.filter(
            (one) =>
              bucketStart(one.startedAtMs, width) === cell.bucketMs &&
              seriesKeyOf(seriesOf(one, cell.series.grain)) === cell.seriesKey,
          );
          const expected = sumUp(own);
          expect(measure(cell.measures, 'events')).toBe(own.length);
          expect(own.length).toBeGreaterThan(0);
          expect(cell.costNanoUsd).toBe(expected.costNanoUsd);
          expect(cell.latencyBins).toEqual(expected.latencyBins);
          expect(cell.ttftBins).toEqual(expected.ttftBins);
        }
        expect(new Set(cells.map((cell) => `${cell.step}${cell.bucketMs}${cell.seriesKey}`)).size).toBe(
          cells.length,
        );
      }),
    );
  });

  it('does not care about the order or the batches rows come in', () => {
    const total = (events: Parameters<typeof rollUp>[0]) =>
      rollUp(events)
        .map(
          (cell) =>
            `${cell.step} ${cell.bucketMs} ${cell.seriesKey} ${cell.measures.join()} ${cell.costNanoUsd}`,
        )
        .sort();
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(total([...events].reverse())).toEqual(total(events));
      }),
    );
  });

  it('can have one sum taken out of another, which leaves the sum of the others', () => {
    fc.assert(
      fc.property(fc.array(event), fc.array(event), (some, others) => {
        const total = emptySums();
        for (const cell of rollUp([...some, ...others])) if (cell.step === 'day') addSums(total, cell);
        const rest = emptySums();
        for (const cell of rollUp(others)) if (cell.step === 'day') addSums(rest, cell);
        for (const cell of rollUp(some)) if (cell.step === 'day') subtractSums(total, cell);
        expect(total).toEqual(rest);
      }),
    );
  });

  it('leaves the rows it was given as they were', () => {
    const one = usageEvent();
    const before = structuredClone(one);
    rollUp([one, one]);
    expect(one).toEqual(before);
  });
});

describe('series', () => {
  it('are told apart by every dimension, null from empty', () => {
    const base = usageEvent();
    const others = [
      { workspaceId: 'x' },
      { projectId: 'x' },
      { apiKeyId: null },
      { apiKeyId: '' },
      { userId: 'x' },
      { source: 'x' },
      { provider: 'x' },
      { accountId: null },
      { modelServed: null },
      { status: 'timeout' as const },
    ].map((change) => detailKeyOf({ ...base, ...change }));
    expect(new Set([detailKeyOf(base), ...others]).size).toBe(others.length + 1);
  });

  it('have one key however it is made', () => {
    fc.assert(
      fc.property(event, (one) => {
        expect(detailKeyOf(one)).toBe(seriesKeyOf(seriesOf(one, 'detail')));
      }),
    );
  });

  it('are answered by the coarsest grain that knows the dimensions', () => {
    expect(grainFor([])).toBe('all');
    expect(grainFor(['modelServed', 'status', 'accountId', 'provider', 'source'])).toBe('served');
    expect(grainFor(['projectId', 'apiKeyId', 'userId'])).toBe('caller');
    expect(grainFor(['projectId', 'modelServed'])).toBe('detail');
  });
});
