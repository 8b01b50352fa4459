import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

/** Where the server under test keeps its ledger. */
export interface ChaosDatabase {
  readonly kind: string;
  /** Settings that make the server use it. */
  settings(dataDir: string): Record<string, string>;
  /** Keeps the ledger from committing until the returned function is called: everything stays in the journal. */
  hold(dataDir: string): Promise<() => Promise<void>>;
  drop(): Promise<void>;
}

/** The database file in the data directory. */
export function sqliteDatabase(): ChaosDatabase {
  return {
    kind: 'sqlite',
    settings: () => ({}),
    async hold(dataDir) {
      const database = new DatabaseSync(join(dataDir, 'tallygate.db'), { timeout: 10_000 });
      database.exec('BEGIN IMMEDIATE');
      return async () => database.close();
    },
    drop: async () => undefined,
  };
}

const POSTGRES_URL = process.env.TALLYGATE_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const CONNECT_TIMEOUT_MS = 3000;

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * A database of its own on the PostgreSQL that tests use; null when there is none.
 * @throws the connection's error when `REQUIRE` names `postgres`
 */
export async function postgresDatabase(): Promise<ChaosDatabase | null> {
  const admin = await connect(POSTGRES_URL).catch((error: unknown) => {
    if ((process.env.REQUIRE ?? '').split(',').includes('postgres')) throw error;
    return null;
  });
  if (admin === null) return null;
  const name = `tallygate_chaos_${process.pid}_${randomBytes(4).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const address = new URL(POSTGRES_URL);
  address.pathname = `/${name}`;
  return {
    kind: 'postgres',
    settings: () => ({ DB_URL: address.href }),
    async hold() {
      const client = await connect(address.href);
      await client.query('BEGIN; LOCK TABLE usage_event IN SHARE ROW EXCLUSIVE MODE');
      return () => client.end();
    },
    async drop() {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
