import type { CreateIndexBuilder, CreateTableBuilder, Expression, Kysely, RawBuilder } from 'kysely';
import type { RollupStep } from '../accounting/rollup.ts';
import type { Schema } from './schema.ts';

/** A value as engines take it: whole number, text, or nothing. */
export type Value = number | bigint | string | null;

/** Column of a table that is filled in bulk; the kind is for engines that need it declared. */
export interface BulkColumn {
  name: string;
  kind: 'int' | 'text';
}
export interface BulkTable {
  name: keyof Schema;
  columns: readonly BulkColumn[];
}

/** One rollup row to be added to what is stored. `measures` are by position in `MEASURE_COLUMNS`. */
export interface RollupAddition {
  seriesId: number;
  bucketMs: number;
  measures: readonly number[];
  costNanoUsd: bigint;
  latencyBins: string;
  ttftBins: string;
}

/** Many rows at once, inside the transaction it came with; the strategy is the engine's. */
export interface BulkWriter {
  /** Plain insert. @throws the engine's own error on a duplicate key, see `SqlDialect.isUniqueViolation`. */
  insert(table: BulkTable, rows: Iterable<readonly Value[]>): Promise<void>;
  /** Inserts the rows or adds them to the rows present. No two may have the same key. */
  addRollups(step: RollupStep, rows: readonly RollupAddition[]): Promise<void>;
  /** Raises `last_used_at_ms` of the given ids to the given times; never lowers it, ignores unknown ids. */
  raiseLastUsed(table: 'api_key' | 'account', times: ReadonlyMap<string, number>): Promise<void>;
}

export interface WriteTransaction {
  readonly db: Kysely<Schema>;
  readonly bulk: BulkWriter;
}

/** SQL that engines spell differently. */
export interface SqlDialect {
  /** Type of a 64-bit key that the engine stores rows by. */
  readonly rowNumberType: 'integer' | 'bigint';
  /** See `LedgerStore.rowsPerCommit`. */
  readonly ledgerRowsPerCommit: number;
  /** An index on a column that is null in nearly every row. */
  sparseIndex<C extends string>(index: CreateIndexBuilder<C>, column: string): CreateIndexBuilder<C>;
  /** A table whose rows live in its primary key, where the engine can. */
  clustered<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C>;
  /** Takes the lock under which migrations run; held until the transaction ends. */
  lockForMigration(db: Kysely<Schema>): Promise<void>;
  tableExists(db: Kysely<Schema>, table: string): Promise<boolean>;
  /** Exact decimal text of an integer expression. */
  asText(expression: Expression<unknown>): RawBuilder<string | null>;
  /** An integer sum as a number, 0 when there is nothing to sum. */
  sum(expression: Expression<unknown>): RawBuilder<number>;
  /** All non-null values of a group as text with spaces between; null when there are none. */
  joinText(expression: Expression<unknown>): RawBuilder<string | null>;
  /** The time by the store's own clock, which all processes have in common. */
  nowMs(): RawBuilder<number>;
  isUniqueViolation(error: unknown): boolean;
  /** The role may not do what was asked of it. */
  isForbidden(error: unknown): boolean;
  /** Makes the engine let go of older copies of what was erased just now, as far as it can be told to. */
  forgetErased(db: Kysely<Schema>): Promise<void>;
  /**
   * From now on every insert, update and delete of a table raises a counter of `store_lock`, in its own transaction;
   * updates that change `except` are not counted.
   */
  countChanges(db: Kysely<Schema>, watch: ChangeWatch): Promise<void>;
}

export interface ChangeWatch {
  table: string;
  except: string | null;
  counter: string;
}

/** An open database: the queries are written once against this. */
export interface StoreDatabase {
  readonly kysely: Kysely<Schema>;
  readonly dialect: SqlDialect;
  /** One transaction; everything is undone when `work` rejects. */
  write<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T>;
  /** Several reads of one moment. */
  snapshot<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
