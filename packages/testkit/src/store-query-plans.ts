import { GROUPS } from '@tallygate/contract/api/usage';
import type { Store, UsageFilter } from '@tallygate/server/store/store';
import { checkpoint } from './store-conformance-ledger.ts';
import { usageEvent } from './usage-events.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 7, 1);

/** Rows on several days, one day with more than a list sorts, some rare. */
export async function fillForPlans(store: Store): Promise<void> {
  const events = Array.from({ length: 2_600 }, (_, index) =>
    usageEvent({
      startedAtMs: index < 2_400 ? START + DAY + index * 1_000 : START + index * HOUR,
      projectId: `p${index % 4}`,
      apiKeyId: `k${index % 7}`,
      modelServed: `m${index % 3}`,
      accountId: `a${index % 2}`,
      status: index % 100 === 0 ? 'timeout' : 'ok',
      parentId: index % 50 === 0 ? 'parent' : null,
      tags: index % 10 === 0 ? ['t1', 't2'] : [],
      sessionId: index % 20 === 0 ? 's1' : null,
      settleStatus: index % 40 === 0 ? 'refunded' : 'final',
    }),
  );
  for (let i = 0; i < events.length; i += 500)
    await store.ledger.commit(events.slice(i, i + 500), checkpoint(i));
}

/** Filters that between them use every dimension, alone and together. */
const FILTERS: Partial<UsageFilter>[] = [
  {},
  { workspaceId: 'ws' },
  { projectIds: ['p1'] },
  { projectIds: ['p1', 'p2'] },
  { apiKeyIds: ['k1'] },
  { models: ['m1'] },
  { providers: ['anthropic'] },
  { accountIds: ['a1'] },
  { statuses: ['timeout'] },
  { statuses: ['ok'] },
  { tags: ['t1'] },
  { tags: ['t1', 't2'], projectIds: ['p0'] },
  { projectIds: ['p1'], models: ['m1'], statuses: ['ok', 'timeout'] },
  { apiKeyIds: ['k1', 'k2'], accountIds: ['a0'], providers: ['anthropic', 'openai'] },
];

/** Makes the read side emit every kind of query it has; groups take turns, as they differ in one column only. */
export async function emitEveryQuery(store: Store): Promise<void> {
  const { usage } = store;
  const ranges = [
    { fromMs: START + 1_234, toMs: START + 20 * DAY + 5_678 },
    { fromMs: START + 10, toMs: START + 2 * HOUR },
  ];
  let turn = 0;
  for (const filter of FILTERS) {
    for (const range of ranges) {
      const one = { workspaceId: null, ...range, ...filter };
      await usage.totals(one);
      await usage.totals(one, 'rows');
      await usage.timeseries(one, 'minute', null);
      await usage.timeseries(one, 'hour', GROUPS[turn++ % GROUPS.length] ?? null);
      await usage.breakdown(one, GROUPS[turn++ % GROUPS.length] ?? 'model');
    }
    for (const range of [{}, ...ranges]) {
      const first = await usage.requests({ workspaceId: null, ...range, ...filter, limit: 5, cursor: null });
      if (first.nextCursor !== null)
        await usage.requests({ workspaceId: null, ...range, ...filter, limit: 5, cursor: first.nextCursor });
    }
  }
  await usage.timeseries({ workspaceId: null, fromMs: START, toMs: START + 3 * DAY + 5 }, 'day', {
    by: 'key',
    top: 3,
  });
  for (const group of GROUPS)
    await usage.breakdown({ workspaceId: null, fromMs: START, toMs: START + 30 * DAY }, group);
  const list = { workspaceId: 'ws', sessionIds: ['s1'], limit: 5, cursor: null };
  await usage.requests(list);
  await usage.requests({ ...list, tags: ['t1'], fromMs: START });
  const redacted = { workspaceId: 'ws', fromMs: null, toMs: null };
  for (const kind of ['tag', 'session', 'request'] as const)
    await store.maintenance.redact({ ...redacted, by: { kind, value: 'nobody' } });
  const scope = { workspaceId: 'ws', ...ranges[0], apiKeyId: 'k1', tags: ['t1'] };
  await store.budgets.readRefunded({ fromMs: START, toMs: START + 20 * DAY, ...scope });
  await usage.request('some id', null);
  await usage.request('some id', 'ws');
  await usage.children('parent');
  await usage.committedAfter(100, 50);
  await usage.lastLedgerSeq();
}
