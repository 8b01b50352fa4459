import { sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';

const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;

/** SQLite's spelling. Kysely's own SQLite adapter does the rest. */
export const sqliteDialect: SqlDialect = {
  rowNumberType: 'integer', // only INTEGER PRIMARY KEY is the row's own number
  // A commit waits for nobody. So many rows are gone before the thread's young generation is full; of more, most reach the
  // old one, and full collections keep a core from requests (docs/decisions/0018-who-comes-first-on-a-core.md).
  ledgerRowsPerCommit: 64,
  sparseIndex: (index, column) => index.where(sql<boolean>`${sql.ref(column)} is not null`),
  clustered: (table) => table.modifyEnd(sql`without rowid`),
  // Write transactions begin IMMEDIATE: whoever is in one is the only writer of the file.
  lockForMigration: async () => {},
  async tableExists(db, table) {
    const found = await sql`select 1 from sqlite_master where type = 'table' and name = ${table}`.execute(db);
    return found.rows.length > 0;
  },
  asText: (expression) => sql<string | null>`cast(${expression} as text)`,
  sum: (expression) => sql<number>`coalesce(sum(${expression}), 0)`,
  joinText: (expression) => sql<string | null>`group_concat(${expression}, ' ')`,
  nowMs: () => sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
  isForbidden: () => false, // a file has no roles
  isUniqueViolation(error) {
    const code = (error as { errcode?: unknown } | null)?.errcode;
    return code === SQLITE_CONSTRAINT_PRIMARYKEY || code === SQLITE_CONSTRAINT_UNIQUE;
  },
  // The log holds pages as they were; busy readers leave it to the next checkpoint.
  async forgetErased(db) {
    await sql`pragma wal_checkpoint(truncate)`.execute(db);
  },
  async countChanges(db, { table, except, counter }) {
    const raise = `begin update store_lock set turn = turn + 1 where name = '${counter}'; end`;
    for (const act of ['insert', 'update', 'delete']) {
      const when = act === 'update' && except !== null ? `when old.${except} is new.${except}` : '';
      await sql
        .raw(`create trigger ${table}_${counter}_${act} after ${act} on ${table} ${when} ${raise}`)
        .execute(db);
    }
  },
};
