import { DatabaseSync } from 'node:sqlite';
import { emitEveryQuery, fillForPlans } from '@tallygate/testkit/store-query-plans';
import { sqliteTarget } from '@tallygate/testkit/store-target';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { sqliteEngine } from './engine.ts';

const target = sqliteTarget();
afterAll(() => target.cleanUp());

/** SQL of every statement prepared while `work` runs. */
async function statementsOf(work: () => Promise<void>): Promise<Set<string>> {
  const spy = vi.spyOn(DatabaseSync.prototype, 'prepare');
  try {
    await work();
    return new Set(spy.mock.calls.map(([text]) => text));
  } finally {
    spy.mockRestore();
  }
}

/** The part of a statement that decides its plan. */
const ending = (statement: string): string =>
  statement.slice(statement.lastIndexOf(' from ')).replace(/\s+/g, ' ');

describe('query plans on SQLite', () => {
  it('never scan the ledger, and sort a list only where the plan has bounded it (issue: no query without an index)', async () => {
    const url = await target.fresh();
    const store = await sqliteEngine.open(url, { role: 'ledger' });
    await store.migrate();
    await fillForPlans(store);
    const statements = [...(await statementsOf(() => emitEveryQuery(store)))].filter((text) =>
      /select/i.test(text),
    );
    await store.close();
    expect(statements.length).toBeGreaterThan(60);

    const db = new DatabaseSync(url.slice('sqlite:'.length));
    const bad: string[] = [];
    let sorted = 0;
    for (const statement of statements) {
      const plan = db
        .prepare(`explain query plan ${statement}`)
        .all()
        .map((row) => String(row.detail));
      const scans = plan.filter((step) =>
        /^SCAN (e|t|usage_event|event_tag|attempt|r|rollup_\w+)\b/.test(step),
      );
      if (scans.length > 0) bad.push(`${scans.join('; ')} <= ${ending(statement)}`);
      const sorts = plan.some((step) => /TEMP B-TREE FOR (LAST .*)?ORDER BY/.test(step));
      const gathers = /from usage_series as s cross join (usage_event as e|rollup_day as r)/.test(statement);
      if (sorts && !gathers) bad.push(`sorts <= ${ending(statement)}`);
      if (sorts) sorted += 1;
    }
    db.close();
    expect(bad).toEqual([]);
    expect(sorted).toBeGreaterThan(0); // the rare-filter path was among them
  });
});
