import { sql } from 'kysely';
import type { ChangeWatch, SqlDialect } from '../dialect.ts';

/** Arbitrary, and the same in every release: two programs that migrate one database have to meet here. */
const MIGRATION_LOCK = 7_203_411;
const UNIQUE_VIOLATION = '23505';
const INSUFFICIENT_PRIVILEGE = '42501';

/** PostgreSQL's spelling. */
export const postgresDialect: SqlDialect = {
  rowNumberType: 'bigint',
  ledgerRowsPerCommit: 250, // a commit is a dozen round trips and a write to disk, however few rows it has
  sparseIndex: (index, column) => index.where(sql<boolean>`${sql.ref(column)} is not null`),
  clustered: (table) => table,
  async lockForMigration(db) {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(db);
  },
  async tableExists(db, table) {
    const found = await sql`select 1 where to_regclass(${table}) is not null`.execute(db);
    return found.rows.length > 0;
  },
  asText: (expression) => sql<string | null>`cast(${expression} as text)`,
  sum: (expression) => sql<number>`cast(coalesce(sum(${expression}), 0) as bigint)`,
  joinText: (expression) => sql<string | null>`string_agg(cast(${expression} as text), ' ')`,
  nowMs: () => sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
  isUniqueViolation: (error) => (error as { code?: unknown } | null)?.code === UNIQUE_VIOLATION,
  isForbidden: (error) => (error as { code?: unknown } | null)?.code === INSUFFICIENT_PRIVILEGE,
  // Its vacuum does that by itself, and decides when.
  async forgetErased() {},
  async countChanges(db, watch) {
    for (const statement of countingStatements(watch)) await sql.raw(statement).execute(db);
  },
};

/** Names come from migrations, never from anybody's input. */
function countingStatements({ table, except, counter }: ChangeWatch): string[] {
  const name = `count_${counter}_changes`;
  const when = except === null ? '' : `when (old.${except} is not distinct from new.${except})`;
  return [
    `create or replace function ${name}() returns trigger language plpgsql as $$ begin
       update store_lock set turn = turn + 1 where name = '${counter}'; return null; end $$`,
    `create trigger ${table}_${counter}_rows after insert or delete on ${table} for each statement execute function ${name}()`,
    `create trigger ${table}_${counter}_values after update on ${table} for each row ${when} execute function ${name}()`,
  ];
}
