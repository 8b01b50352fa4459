import { emitEveryQuery, fillForPlans } from '@tallygate/testkit/store-query-plans';
import { postgresTarget } from '@tallygate/testkit/store-target';
import pg from 'pg';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { postgresEngine } from './engine.ts';

const target = await postgresTarget();
afterAll(() => target.cleanUp());

type Statement = { text: string; values: unknown[] };
type Sent = { text?: unknown; values?: unknown };

/** Every statement sent while `work` runs, with one set of values. */
async function statementsOf(work: () => Promise<void>): Promise<Statement[]> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    const seen = new Map<string, Statement>();
    const calls: readonly (readonly unknown[])[] = spy.mock.calls;
    for (const [query, given] of calls) {
      const { text, values = [] } =
        typeof query === 'string' ? { text: query, values: given } : (query as Sent);
      if (typeof text === 'string') seen.set(text, { text, values: values as unknown[] });
    }
    return [...seen.values()];
  } finally {
    spy.mockRestore();
  }
}

/** Statements that read a whole table of the ledger, and how. */
async function fullScans(url: string, statements: readonly Statement[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('analyze');
    await client.query('set enable_seqscan = off'); // a small table would be scanned even with an index
    const bad: string[] = [];
    for (const { text, values } of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values });
      const plan = rows.map((row) => row['QUERY PLAN'].trim());
      const scan = plan.find((step) => /Seq Scan on (usage_event|event_tag|attempt|rollup_\w+)\b/.test(step));
      if (scan !== undefined)
        bad.push(`${scan} <= ${text.slice(text.lastIndexOf(' from ')).replace(/\s+/g, ' ')}`);
    }
    return bad;
  } finally {
    await client.end();
  }
}

describe.skipIf(target.skipped !== null)('query plans on PostgreSQL', { timeout: 120_000 }, () => {
  it('have an index for every read of the ledger (issue: no query without an index)', async () => {
    const url = await target.fresh();
    const store = await postgresEngine.open(url, { role: 'main' });
    await store.migrate();
    await fillForPlans(store);
    const statements = await statementsOf(() => emitEveryQuery(store));
    await store.close();
    const selects = statements.filter(({ text }) => /^\s*select/i.test(text));
    expect(selects.length).toBeGreaterThan(60);

    expect(await fullScans(url, selects)).toEqual([]);
  });
});
