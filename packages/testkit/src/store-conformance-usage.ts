import { GROUPS, type UsageGroup } from '@tallygate/contract/api/usage';
import { PRICE_STATUSES, REQUEST_STATUSES, SETTLE_STATUSES, unknownTokens } from '@tallygate/contract/usage';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import type { Store, UsageFilter, UsageSource, UsageSumsRow } from '@tallygate/server/store/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { checkpoint } from './store-conformance-ledger.ts';
import { usageEvent } from './usage-events.ts';
import { groupKeyOf, matches, sumUp, sumUpBy } from './usage-oracle.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 2, 27); // a range with the end of a month in it
const SPAN = 9 * DAY;

const few = <T>(...values: T[]) => fc.constantFrom(...values);
const count = fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: null });
const eventArbitrary: fc.Arbitrary<Partial<UsageEvent>> = fc.record({
  parentId: few(null, null, null, 'parent'),
  workspaceId: few('ws', 'ws', 'other'),
  projectId: few('p1', 'p2', 'p3'),
  apiKeyId: few('k1', 'k2', 'k3', null),
  userId: few('u1', 'u2', null),
  provider: few('anthropic', 'openai'),
  accountId: few('a1', 'a2', null),
  modelServed: few('m1', 'm2', 'm3', null),
  source: few('gateway', 'ingest'),
  status: few(...REQUEST_STATUSES),
  startedAtMs: fc.integer({ min: START, max: START + SPAN - 1 }),
  latencyMs: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: null }),
  ttftMs: count,
  tokens: fc
    .record({
      inputUncached: count,
      cacheRead: count,
      cacheWrite5m: count,
      outputVisible: count,
      outputImage: count,
    })
    .map((tokens) => ({ ...unknownTokens(), ...tokens })),
  weightedTokens: count,
  costNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 15n }), { nil: null }),
  priceStatus: few(...PRICE_STATUSES),
  settleStatus: few(...SETTLE_STATUSES),
  tags: fc.subarray(['t1', 't2', 't3']),
});

const some = <T>(...values: T[]) =>
  fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined, freq: 3 });
const dimensions = fc.record({
  workspaceId: fc.constantFrom(null, 'ws', 'other', 'nobody'),
  projectIds: some('p1', 'p2', 'p3'),
  apiKeyIds: some('k1', 'k2', 'k3'),
  userIds: some('u1', 'u2'),
  models: some('m1', 'm2', 'm3'),
  providers: some('anthropic', 'openai'),
  accountIds: some('a1', 'a2'),
  statuses: some(...REQUEST_STATUSES),
});
const edges = (unit: number) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: Math.floor(SPAN / unit) }),
      fc.integer({ min: 0, max: Math.floor(SPAN / unit) }),
    )
    .map(([a, b]) => ({ fromMs: START + Math.min(a, b) * unit, toMs: START + Math.max(a, b) * unit }));
const step = few('hour' as const, 'day' as const);
const group = fc.option(few(...GROUPS), { nil: null });

/** Maps compare by content, and a missing row equals a row of nothing. */
const plain = (sums: UsageSumsRow) => ({
  ...Object.fromEntries(
    Object.entries(sums).filter(([name]) => !['bucketStartMs', 'groupKey'].includes(name)),
  ),
  latencyBins: [...sums.latencyBins].sort((a, b) => a[0] - b[0]),
  ttftBins: [...sums.ttftBins].sort((a, b) => a[0] - b[0]),
});

interface Question {
  filter: UsageFilter;
  step: 'minute' | 'hour' | 'day';
  group: UsageGroup | null;
}

async function expectEverywhere(
  store: Store,
  events: UsageEvent[],
  sources: UsageSource[],
  question: Question,
) {
  const { filter } = question;
  const wanted = events.filter((event) => matches(event, filter));
  const width = { minute: 60_000, hour: HOUR, day: DAY }[question.step];
  for (const source of sources) {
    expect(plain(await store.usage.totals(filter, source)), `totals from ${source}`).toEqual(
      plain(sumUp(wanted)),
    );
    const points = await store.usage.timeseries(filter, question.step, question.group, source);
    const bucketOf = (event: UsageEvent): string => {
      const at = Math.floor(event.startedAtMs / width) * width;
      return `${at} ${question.group === null ? null : groupKeyOf(event, question.group)}`;
    };
    const series = new Map(points.map((point) => [`${point.bucketStartMs} ${point.groupKey}`, plain(point)]));
    const expected = [...sumUpBy(wanted, bucketOf)].map(([name, sums]) => [name, plain(sums)] as const);
    expect(series, `series from ${source}`).toEqual(new Map(expected));
    if (question.group !== null) {
      const by = question.group;
      const rows = await store.usage.breakdown(filter, by, source);
      const parts = [...sumUpBy(wanted, (event) => groupKeyOf(event, by))];
      const noBins = { latencyBins: new Map(), ttftBins: new Map() };
      expect(new Map(rows.map((row) => [row.groupKey, plain(row)])), `breakdown from ${source}`).toEqual(
        new Map(parts.map(([name, sums]) => [name, plain({ ...sums, ...noBins })])),
      );
    }
  }
}

export function usageConformance(bench: StoreBench): void {
  describe('usage', () => {
    it('gives the same figures from rollups, rows and both, as plain addition does, for any filter (TW-21)', async () => {
      const store = await bench.open('ledger');
      const events: UsageEvent[] = [];
      const batches = fc.sample(fc.array(eventArbitrary, { minLength: 60, maxLength: 120, size: 'max' }), {
        numRuns: 6,
        seed: 20261122,
      });
      for (const [index, batch] of batches.entries()) {
        const made = batch.map((change) => usageEvent(change));
        events.push(...made);
        await store.ledger.commit(made, checkpoint(index));
      }
      const aligned = fc.record({ range: edges(HOUR), dimensions, step, group });
      await fc.assert(
        fc.asyncProperty(aligned, async (one) => {
          const filter = { ...one.range, ...one.dimensions };
          await expectEverywhere(store, events, ['rollups', 'rows', 'auto'], { ...one, filter });
        }),
        { numRuns: 60 },
      );
      const ragged = fc.record({
        range: edges(7_777),
        dimensions,
        step,
        group,
        tags: some('t1', 't2', 't3', 'none'),
      });
      await fc.assert(
        fc.asyncProperty(ragged, async ({ range, tags, ...one }) => {
          const filter = { ...range, ...one.dimensions, ...(tags === undefined ? {} : { tags }) };
          await expectEverywhere(store, events, ['rows', 'auto'], { ...one, filter });
        }),
        { numRuns: 60 },
      );
      expect((await store.maintenance.verifyRollups(null, null)).differences).toEqual([]);
    });

    it('tells only the top groups apart when asked, and loses nothing of the rest', async () => {
      const store = await bench.open('ledger');
      const events = ['a', 'b', 'c', 'd', null].flatMap((apiKeyId, index) =>
        [0, HOUR, DAY].map((offset) =>
          usageEvent({
            apiKeyId,
            startedAtMs: START + offset,
            costNanoUsd: BigInt([50, 10, 30, 20, 40][index] ?? 0),
          }),
        ),
      );
      await store.ledger.commit(events, checkpoint(1));
      const filter = { workspaceId: null, fromMs: START, toMs: START + 2 * DAY };
      for (const source of ['auto', 'rows', 'rollups'] as const) {
        const points = await store.usage.timeseries(filter, 'day', { by: 'key', top: 2 }, source);
        const part = (keys: (string | null)[], day: number) =>
          plain(
            sumUp(
              events.filter(
                (event) =>
                  keys.includes(event.apiKeyId) && Math.floor((event.startedAtMs - START) / DAY) === day,
              ),
            ),
          );
        const found = points.map(({ bucketStartMs, groupKey, restGroups, ...sums }) => ({
          name: restGroups === undefined ? groupKey : `rest of ${restGroups}`,
          day: (bucketStartMs - START) / DAY,
          sums: plain(sums),
        }));
        const expected = [0, 1].flatMap((day) => [
          { name: 'a', day, sums: part(['a'], day) },
          { name: null, day, sums: part([null], day) },
          { name: 'rest of 3', day, sums: part(['b', 'c', 'd'], day) },
        ]);
        expect(found).toHaveLength(expected.length);
        for (const one of expected) expect(found).toContainEqual(one);
        const rest = await store.usage.timeseries(filter, 'day', { by: 'key', top: 0 }, source);
        expect(rest.map((point) => [point.groupKey, point.restGroups, point.requests])).toEqual([
          [null, 5, 10],
          [null, 5, 5],
        ]);
      }
    });

    it('gives minutes from rows', async () => {
      const store = await bench.open('ledger');
      const events = [0, 59_999, 60_000, 3_600_000].map((offset) =>
        usageEvent({ startedAtMs: START + offset }),
      );
      await store.ledger.commit(events, checkpoint(1));
      const filter = { workspaceId: null, fromMs: START, toMs: START + 2 * HOUR };
      await expectEverywhere(store, events, ['rows', 'auto'], { filter, step: 'minute', group: 'model' });
    });

    it('answers an empty store and an empty range with nothing', async () => {
      const { usage } = await bench.open('main');
      for (const filter of [
        { workspaceId: null, fromMs: START, toMs: START + DAY },
        { workspaceId: null, fromMs: START, toMs: START },
      ]) {
        for (const source of ['auto', 'rows', 'rollups'] as const) {
          expect((await usage.totals(filter, source)).requests).toBe(0);
          expect(await usage.timeseries(filter, 'hour', null, source)).toEqual([]);
          expect(await usage.breakdown(filter, 'model', source)).toEqual([]);
        }
      }
    });

    it('refuses what rollups cannot tell instead of answering something else', async () => {
      const { usage } = await bench.open('main');
      const hour = { workspaceId: null, fromMs: START, toMs: START + HOUR };
      const refused = { code: 'invalid_request' };
      await expect(usage.totals({ ...hour, fromMs: START + 1 }, 'rollups')).rejects.toMatchObject(refused);
      await expect(usage.totals({ ...hour, tags: ['t'] }, 'rollups')).rejects.toMatchObject(refused);
      await expect(usage.timeseries(hour, 'minute', null, 'rollups')).rejects.toMatchObject(refused);
    });

    it('adds costs beyond what a number can hold exactly', async () => {
      const { ledger, usage } = await bench.open('ledger');
      const cost = 9_007_199_254_740_993n;
      const events = [1, 2, 3].map((offset) =>
        usageEvent({ startedAtMs: START + offset, costNanoUsd: cost }),
      );
      await ledger.commit(events, checkpoint(1));
      const filter = { workspaceId: null, fromMs: START, toMs: START + DAY };
      for (const source of ['rows', 'rollups'] as const) {
        expect((await usage.totals(filter, source)).costNanoUsd).toBe(cost * 3n);
      }
    });
  });
}
