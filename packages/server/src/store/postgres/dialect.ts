import { sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';

/** Arbitrary, and the same in every release: two programs that migrate one database have to meet here. */
const MIGRATION_LOCK = 7_203_411;
const UNIQUE_VIOLATION = '23505';

/** PostgreSQL's spelling. */
export const postgresDialect: SqlDialect = {
  rowNumberType: 'bigint',
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
  isUniqueViolation: (error) => (error as { code?: unknown } | null)?.code === UNIQUE_VIOLATION,
};
