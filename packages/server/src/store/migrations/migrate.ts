import type { Kysely } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const TABLE = 'schema_migration';

/** The version recorded in a database that has been migrated at least once. */
export async function schemaVersionIn(db: Kysely<Schema>): Promise<number> {
  const row = await db
    .selectFrom(TABLE)
    .select('version')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.version ?? 0;
}

/** The schema's version; 0 for an empty database. */
export async function schemaVersionOf(database: StoreDatabase): Promise<number> {
  if (!(await database.dialect.tableExists(database.kysely, TABLE))) return 0;
  return schemaVersionIn(database.kysely);
}

function refuseNewer(found: number, known: number): void {
  if (found <= known) return;
  throw new Error(
    `The store has schema version ${found}, but this program knows only up to ${known}: a newer release has used it. ` +
      'Start that release or a later one, or restore a backup made by this one.',
  );
}

/**
 * Applies what is pending, in one transaction and under the engine's lock: of two processes that start together
 * one migrates and the other finds the work done, and a failure leaves schema and data as they were (WT-12).
 * @throws Error when the schema is newer than `migrations`, or when one of them fails
 */
export async function migrate(
  database: StoreDatabase,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<{ applied: string[]; schemaVersion: number }> {
  const latest = migrations.at(-1)?.version ?? 0;
  const before = await schemaVersionOf(database);
  refuseNewer(before, latest);
  if (before === latest) return { applied: [], schemaVersion: latest };
  try {
    return await applyPending(database, migrations, nowMs);
  } catch (cause) {
    const { isForbidden } = database.dialect;
    if (!isForbidden(cause) && !isForbidden((cause as { cause?: unknown } | null)?.cause)) throw cause;
    throw new Error(
      `The store has schema version ${before} and this program needs ${latest}, but the role of the database URL may ` +
        'not change tables. Run "tallygate store migrate" with the URL of the role that owns them, then start again. Nothing was changed.',
      { cause },
    );
  }
}

async function applyPending(
  database: StoreDatabase,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<{ applied: string[]; schemaVersion: number }> {
  const latest = migrations.at(-1)?.version ?? 0;
  return database.write(async ({ db }) => {
    await database.dialect.lockForMigration(db);
    await db.schema
      .createTable(TABLE)
      .ifNotExists()
      .addColumn('version', 'bigint', (column) => column.primaryKey())
      .addColumn('name', 'varchar(200)', (column) => column.notNull())
      .addColumn('applied_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    const current = await schemaVersionIn(db);
    refuseNewer(current, latest);
    const applied: string[] = [];
    for (const migration of migrations.filter((one) => one.version > current)) {
      await applyOne(database, db, migration);
      await db
        .insertInto(TABLE)
        .values({ version: migration.version, name: migration.name, applied_at_ms: nowMs })
        .execute();
      applied.push(`${migration.version} ${migration.name}`);
    }
    return { applied, schemaVersion: latest };
  });
}

async function applyOne(database: StoreDatabase, db: Kysely<Schema>, migration: Migration): Promise<void> {
  try {
    await migration.up(db, database.dialect);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Migration ${migration.version} (${migration.name}) failed: ${reason}. ` +
        'Nothing was changed: the store is as it was before this start.',
      { cause },
    );
  }
}
