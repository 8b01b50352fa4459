import type { StoreDatabase } from '../dialect.ts';
import type { JobStore } from '../ports/jobs.ts';
import type { JobTable } from '../tables/node-tables.ts';
import { holdsFence } from './fence.ts';

const NEVER_RUN = { runs: 0, due_at_ms: 0 };

/** The record of jobs over an open database. */
export function createJobStore(database: StoreDatabase): JobStore {
  return {
    beginJob: (fence, { name, node, nowMs, nextMs, early }) =>
      database.write(async ({ db }) => {
        // Holds the lease's row: nobody else begins anything meanwhile.
        if (!(await holdsFence(db, fence))) return null;
        const found = await db
          .selectFrom('job')
          .select(['runs', 'due_at_ms'])
          .where('name', '=', name)
          .executeTakeFirst();
        const { runs, due_at_ms: dueAtMs } = found ?? NEVER_RUN;
        if (!early && nowMs < dueAtMs) return null;
        const row: JobTable = {
          ...{ name, node, token: fence.token, runs: runs + 1 },
          ...{ due_at_ms: nextMs, started_at_ms: nowMs, ended_at_ms: null, failed: 0 },
        };
        if (found === undefined) await db.insertInto('job').values(row).execute();
        else await db.updateTable('job').set(row).where('name', '=', name).execute();
        return row.runs;
      }),
    endJob: (fence, { name, run, nowMs, failed }) =>
      database.write(async ({ db }) => {
        if (!(await holdsFence(db, fence))) return false;
        const result = await db
          .updateTable('job')
          .set({ ended_at_ms: nowMs, failed: Number(failed) })
          .where('name', '=', name)
          .where('runs', '=', run)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      }),
    async listJobs() {
      const rows = await database.kysely.selectFrom('job').selectAll().orderBy('name').execute();
      return rows.map((row) => ({
        name: row.name,
        runs: row.runs,
        node: row.node,
        token: row.token,
        dueAtMs: row.due_at_ms,
        startedAtMs: row.started_at_ms,
        endedAtMs: row.ended_at_ms,
        failed: row.failed === 1,
      }));
    },
  };
}
