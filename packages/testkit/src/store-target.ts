import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A place where stores can be made for tests. */
export interface StoreTarget {
  /** Why nothing can be tested here; null when it can. */
  skipped: string | null;
  /** URL of a new, empty store. */
  fresh(): Promise<string>;
  /** Directory for files of the test. */
  directory(): Promise<string>;
  /** Removes everything that was made. */
  cleanUp(): Promise<void>;
}

function directories() {
  const made: string[] = [];
  return {
    async make(): Promise<string> {
      const path = await mkdtemp(join(tmpdir(), 'tallygate-store-'));
      made.push(path);
      return path;
    },
    async remove(): Promise<void> {
      for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
    },
  };
}

export function sqliteTarget(): StoreTarget {
  const files = directories();
  return {
    skipped: null,
    fresh: async () => `sqlite:${join(await files.make(), 'store.db')}`,
    directory: () => files.make(),
    cleanUp: () => files.remove(),
  };
}

const ADMIN_URL = process.env.TALLYGATE_TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ADMIN_URL, connectionTimeoutMillis: 3_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Databases on the server that `TALLYGATE_TEST_POSTGRES_URL` names (default: the local one). Skips, saying why, when there
 * is none; with `postgres` in `REQUIRE` that is a failure.
 */
export async function postgresTarget(): Promise<StoreTarget> {
  const files = directories();
  const made: string[] = [];
  let skipped: string | null = null;
  try {
    await asAdmin((client) => client.query('select 1'));
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    skipped = `no PostgreSQL at ${new URL(ADMIN_URL).host}: ${reason}`;
    if ((process.env.REQUIRE ?? '').split(',').includes('postgres'))
      throw new Error(`REQUIRE=postgres, but ${skipped}`);
    console.warn(`skipped: ${skipped}`);
  }
  return {
    skipped,
    async fresh() {
      const name = `tallygate_test_${process.pid}_${Date.now().toString(36)}_${made.length}`;
      await asAdmin((client) => client.query(`create database ${name}`));
      made.push(name);
      const url = new URL(ADMIN_URL);
      url.pathname = `/${name}`;
      return url.href;
    },
    directory: () => files.make(),
    async cleanUp() {
      await files.remove();
      for (const name of made.splice(0)) {
        await asAdmin((client) => client.query(`drop database if exists ${name} with (force)`));
      }
    },
  };
}
