import { REQUEST_STATUSES } from '@tallygate/contract/usage';
import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import type { RequestPageQuery, Store } from '@tallygate/server/store/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { checkpoint } from './store-conformance-ledger.ts';
import { usageEvent } from './usage-events.ts';
import { matches } from './usage-oracle.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 5, 1);

async function allPages(store: Store, query: Omit<RequestPageQuery, 'cursor'>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['usage']['requests']>> = await store.usage.requests({
      ...query,
      cursor,
    });
    expect(page.events.length).toBeLessThanOrEqual(query.limit);
    if (page.nextCursor !== null) expect(page.events).toHaveLength(query.limit);
    ids.push(...page.events.map((event) => event.id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}

async function fill(store: Store, count: number): Promise<UsageEvent[]> {
  const random = fc.sample(
    fc.record({
      // Few distinct times, so that many rows start in the same millisecond.
      startedAtMs: fc
        .integer({ min: 0, max: 40 })
        .map((slot) => START + Math.floor(slot / 4) * DAY + (slot % 4)),
      workspaceId: fc.constantFrom('ws', 'ws', 'other'),
      projectId: fc.constantFrom('p1', 'p2'),
      apiKeyId: fc.constantFrom('k1', 'k2', null),
      modelServed: fc.constantFrom('m1', 'm2'),
      status: fc.constantFrom('ok' as const, 'ok' as const, ...REQUEST_STATUSES),
      tags: fc.subarray(['t1', 't2']),
    }),
    { numRuns: count, seed: 7 },
  );
  const events = random.map((change) => usageEvent(change));
  for (let i = 0; i < events.length; i += 100)
    await store.ledger.commit(events.slice(i, i + 100), checkpoint(i));
  return events;
}

export function requestsConformance(bench: StoreBench): void {
  describe('request list', () => {
    it('pages through every match once, newest first, for any filter', async () => {
      const store = await bench.open('ledger');
      const events = await fill(store, 500);
      const order = new Map(
        (await store.usage.committedAfter(0, 1_000)).map((event) => [event.id, event.ledgerSeq]),
      );
      const some = <T>(...values: T[]) =>
        fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined });
      const slot = fc
        .integer({ min: -1, max: 44 })
        .map((n) => START + Math.floor(n / 4) * DAY + (((n % 4) + 4) % 4));
      const query = fc.record({
        workspaceId: fc.constantFrom(null, 'ws', 'other', 'nobody'),
        fromMs: fc.option(slot, { nil: undefined }),
        toMs: fc.option(slot, { nil: undefined }),
        projectIds: some('p1', 'p2', 'nobody'),
        apiKeyIds: some('k1', 'k2'),
        models: some('m1', 'm2'),
        statuses: some(...REQUEST_STATUSES),
        tags: some('t1', 't2', 'none'),
        limit: fc.integer({ min: 1, max: 60 }),
      });
      await fc.assert(
        fc.asyncProperty(query, async ({ limit, workspaceId, ...filter }) => {
          const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
          const expected = events
            .filter((event) => matches(event, { workspaceId, ...given }))
            .sort((a, b) => b.startedAtMs - a.startedAtMs || (order.get(b.id) ?? 0) - (order.get(a.id) ?? 0));
          expect(await allPages(store, { workspaceId, ...given, limit })).toEqual(
            expected.map((event) => event.id),
          );
        }),
        { numRuns: 60 },
      );
    });

    it('keeps its place while newer rows arrive', async () => {
      const store = await bench.open('ledger');
      const old = Array.from({ length: 6 }, (_, index) => usageEvent({ startedAtMs: START + index }));
      await store.ledger.commit(old, checkpoint(1));
      const first = await store.usage.requests({ workspaceId: null, limit: 3, cursor: null });
      await store.ledger.commit([usageEvent({ startedAtMs: START + 100 })], checkpoint(2));
      const second = await store.usage.requests({ workspaceId: null, limit: 3, cursor: first.nextCursor });
      const ids = [...first.events, ...second.events].map((event) => event.id);
      expect(ids).toEqual(old.map((event) => event.id).reverse());
      expect(second.nextCursor).toBeNull();
    });

    it('refuses a cursor it did not give', async () => {
      const { usage } = await bench.open('main');
      for (const cursor of ['', 'x', Buffer.from('1.2; drop table').toString('base64url')]) {
        await expect(usage.requests({ workspaceId: null, limit: 1, cursor })).rejects.toMatchObject({
          code: 'invalid_request',
        });
      }
    });
  });
}
