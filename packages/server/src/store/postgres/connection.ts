import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg, { type PoolClient } from 'pg';
import { AppError } from '../../kernel/errors.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import { createBulkWriter } from './bulk.ts';
import { postgresDialect } from './dialect.ts';

const INT8 = 20;
const NUMERIC = 1700;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;
/** No statement of ours takes so long: maintenance and backup too go day by day and page by page. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** Integers as numbers; one that a number cannot hold is an error, never a wrong figure. */
function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`integer ${text} is too large to read as a number`);
  return value;
}

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 || oid === NUMERIC) return parseInteger;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/** How pg words the end of a connection for which the system has no code. */
const ENDED = /^(Connection terminated|Client has encountered a connection error|Client was closed)/;

/** Errors of the connection rather than of a statement become the one that callers wait and retry on. */
function unreachable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return error instanceof Error && ENDED.test(error.message);
  return /^(ECONN|ENOTFOUND|ETIMEDOUT|EPIPE|EHOST|57P0[123]$|08)/.test(code);
}

/** A pool whose `connect` failures are told as `store_unavailable`. */
function createPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url, // sslmode and the other libpq parameters in it are honoured by pg
    max,
    types,
    application_name: 'tallygate',
    // Compiling our wide sums takes PostgreSQL longer than running them.
    options: '-c jit=off',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    allowExitOnIdle: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  pool.on('error', () => {}); // an idle connection died; the pool opens another when one is wanted
  // One that is in use may die between two statements: the next one says so. Without a listener the process would end.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

async function connect(pool: pg.Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('store_unavailable', { detail: `PostgreSQL does not answer: ${reason}`, cause });
  }
}

/** Kysely over one pinned connection, for transactions that also write in bulk. */
function onClient(client: PoolClient): Kysely<Schema> {
  const pinned: PostgresPoolClient = {
    query: ((...args: Parameters<PoolClient['query']>) =>
      client.query(...args)) as PostgresPoolClient['query'],
    release() {}, // given back when the transaction ends
  };
  const pool: PostgresPool = { connect: async () => pinned, end: async () => {}, options: {} };
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

async function inTransaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    await client.query(begin);
    try {
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    }
  } catch (cause) {
    if (!unreachable(cause)) throw cause;
    broken = cause instanceof Error ? cause : new Error(String(cause));
    throw new AppError('store_unavailable', { cause });
  } finally {
    client.release(broken);
  }
}

/** A pool of connections to the database. */
export function openDatabase(url: string, options: { max: number }): StoreDatabase {
  const pool = createPool(url, options.max);
  const shared: PostgresPool = {
    connect: async () => (await connect(pool)) as PostgresPoolClient,
    end: () => pool.end(),
    options: {},
  };
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: shared }) });
  return {
    kysely,
    dialect: postgresDialect,
    write: (work) =>
      inTransaction(pool, 'begin', (client) =>
        work({ db: onClient(client), bulk: createBulkWriter(client) }),
      ),
    snapshot: (work) =>
      inTransaction(pool, 'begin isolation level repeatable read read only', (client) =>
        work(onClient(client)),
      ),
    async close() {
      await kysely.destroy();
      if (!pool.ended) await pool.end(); // Kysely closes only a pool it has used
    },
  };
}
