import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import type { StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import { createBulkWriter, registerMergeBins } from './bulk.ts';
import { sqliteDialect } from './dialect.ts';

/** How long a statement waits for another thread's write to end before it fails. */
const BUSY_TIMEOUT_MS = 15_000;
/** Fewer, larger pages: a third less work for each committed batch than with 4 KiB. */
const PAGE_BYTES = 8192;
/** Copy the write-ahead log into the file every 32 MiB rather than every few batches. */
const CHECKPOINT_PAGES = 4096;
const WAL_LIMIT_BYTES = 128 * 1024 * 1024;
const MAX_STATEMENTS = 200;

export interface SqliteOptions {
  /** Refuses every write on this connection. */
  readOnly: boolean;
  /** `FULL` survives loss of power at each commit, `NORMAL` may lose the last commits (never consistency). */
  synchronous: 'NORMAL' | 'FULL';
  /** Pages kept in memory by this connection; the operating system caches the file besides. */
  cacheMib: number;
}

/**
 * The file and options a store URL names: `sqlite:/absolute.db`, `sqlite:relative.db`, and optionally
 * `?synchronous=full`. @throws Error when it names no file
 */
export function parseSqliteUrl(url: string): { path: string; synchronous: 'NORMAL' | 'FULL' } {
  const rest = url.replace(/^sqlite:(\/\/(?=\/))?/, '');
  const [path = '', query = ''] = rest.split(/\?(.*)/s, 2);
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'synchronous') {
      throw new Error(`The store URL has an unknown parameter "${name}". SQLite knows only "synchronous".`);
    }
  }
  const synchronous = (parameters.get('synchronous') ?? 'normal').toUpperCase();
  if (synchronous !== 'NORMAL' && synchronous !== 'FULL') {
    throw new Error('The store URL says "synchronous" is something other than "normal" or "full".');
  }
  if (path === '' || path === ':memory:') {
    throw new Error('The store URL names no file. Write it as "sqlite:/path/to/file.db".');
  }
  return { path: resolve(path), synchronous };
}

/** Creates the file for its owner alone before SQLite would create it for everybody the umask allows. */
function createPrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600); // SQLite gives its -wal and -shm files the same mode
}

const REASONS: Record<number, string> = {
  8: 'it cannot be written; check its owner and permissions',
  10: 'the disk reports an input or output error',
  11: 'it is damaged; restore a backup',
  13: 'the disk is full',
  14: 'it cannot be opened; check the path and its permissions',
  26: 'it is not an SQLite database',
};

function openError(path: string, cause: unknown): Error {
  const code = (cause as { errcode?: number }).errcode;
  const reason = code === undefined ? undefined : REASONS[code & 0xff];
  const text = reason ?? (cause instanceof Error ? cause.message : String(cause));
  return new Error(`The SQLite store ${path} cannot be used: ${text}.`, { cause });
}

function configure(db: DatabaseSync, options: SqliteOptions): void {
  db.exec(`pragma page_size = ${PAGE_BYTES}`);
  db.exec('pragma journal_mode = wal');
  db.exec(`pragma synchronous = ${options.synchronous}`);
  db.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.exec(`pragma journal_size_limit = ${WAL_LIMIT_BYTES}`);
  db.exec(`pragma cache_size = -${options.cacheMib * 1024}`);
  db.exec('pragma foreign_keys = on');
  db.exec('pragma trusted_schema = off');
  db.exec('pragma secure_delete = on'); // what is removed is overwritten, not only unlinked
  db.prepare('select count(*) from sqlite_master').get(); // a file that is no database fails here
  if (options.readOnly) db.exec('pragma query_only = on');
}

/** Opens the file in this thread. @throws Error that says what is wrong with the file */
export function openFile(path: string, options: SqliteOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    createPrivateFile(path);
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    configure(db, options);
    registerMergeBins(db);
    return db;
  } catch (error) {
    db?.close();
    throw openError(path, error);
  }
}

/** What Kysely's SQLite driver calls, over `node:sqlite`, with prepared statements kept. */
class KyselyDatabase implements SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  prepare(text: string) {
    const statement = this.#statement(text);
    const reader = statement.columns().length > 0;
    return {
      reader,
      all: (parameters: ReadonlyArray<unknown>) => statement.all(...(parameters as SQLInputValue[])),
      run: (parameters: ReadonlyArray<unknown>) => statement.run(...(parameters as SQLInputValue[])),
      iterate: (parameters: ReadonlyArray<unknown>) => statement.iterate(...(parameters as SQLInputValue[])),
    };
  }

  #statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(text);
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    this.#statements.set(text, statement);
    return statement;
  }
}

/** The database over one connection in this thread; whoever uses it blocks the thread while it works. */
export function openDatabase(path: string, options: SqliteOptions): StoreDatabase & { file: DatabaseSync } {
  const file = openFile(path, options);
  const kysely = new Kysely<Schema>({ dialect: new SqliteDialect({ database: new KyselyDatabase(file) }) });
  const bulk = createBulkWriter(file);
  const inTransaction = <T>(begin: string, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> =>
    kysely.connection().execute(async (db) => {
      await sql.raw(begin).execute(db);
      try {
        const result = await work(db);
        await sql`commit`.execute(db);
        return result;
      } catch (error) {
        if (file.isTransaction) file.exec('rollback');
        throw error;
      }
    });
  return {
    file,
    kysely,
    dialect: sqliteDialect,
    // IMMEDIATE: a transaction that starts by reading could otherwise not be turned into a writing one.
    write: (work) => inTransaction('begin immediate', (db) => work({ db, bulk })),
    snapshot: (work) => inTransaction('begin', work),
    close: () => kysely.destroy(),
  };
}
