import { type Kysely, sql } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { CountsIn, NodeRow, NodeStore } from '../ports/nodes.ts';
import type { Schema } from '../schema.ts';
import type { NodeTable } from '../tables/node-tables.ts';

const nodeRow = (row: NodeTable): NodeRow => ({
  id: row.id,
  process: row.process,
  roles: row.roles,
  countsIn: row.counts_in as CountsIn,
  version: row.version,
  startedAtMs: row.started_at_ms,
  expiresAtMs: row.expires_at_ms,
});

/** The nodes over an open database. */
export function createNodeStore(database: StoreDatabase): NodeStore {
  const { kysely, dialect } = database;

  const live = (db: Kysely<Schema>) =>
    db.selectFrom('node').selectAll().where('expires_at_ms', '>', dialect.nowMs()).orderBy('started_at_ms');

  return {
    async beat({ lifeMs, startedAtMs, countsIn, ...node }) {
      const replaced = await database.write(async ({ db }) => {
        const before = await live(db).where('id', '=', node.id).executeTakeFirst();
        const row = {
          ...{ process: node.process, roles: node.roles, counts_in: countsIn, version: node.version },
          ...{ started_at_ms: startedAtMs, expires_at_ms: sql<number>`${dialect.nowMs()} + ${lifeMs}` },
        };
        const known = await db.updateTable('node').set(row).where('id', '=', node.id).executeTakeFirst();
        if (known.numUpdatedRows === 0n)
          await db
            .insertInto('node')
            .values({ id: node.id, ...row })
            .execute();
        return before === undefined || before.process === node.process ? null : before.process;
      });
      // After the commit: what others have committed by now is seen, and they see this row.
      const others = await live(kysely).where('id', '!=', node.id).execute();
      return { others: others.map(nodeRow), replaced };
    },
    async leave({ id, process }) {
      await kysely.deleteFrom('node').where('id', '=', id).where('process', '=', process).execute();
    },
    listNodes: async () => (await live(kysely).execute()).map(nodeRow),
    async forgetNodes(goneForMs) {
      const gone = sql<number>`${dialect.nowMs()} - ${goneForMs}`;
      const result = await kysely.deleteFrom('node').where('expires_at_ms', '<', gone).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
