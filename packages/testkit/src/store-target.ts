import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A place where stores can be made for tests. */
export interface StoreTarget {
  /** Why nothing can be tested here; null when it can. */
  skipped: string | null;
  /** URL of a new, empty store. */
  fresh(): Promise<string>;
  /** URL of a new store that is as `prepare` made the first one, which is done once. */
  copy(prepare: (url: string) => Promise<void>): Promise<string>;
  /** Directory for files of the test. */
  directory(): Promise<string>;
  /** Removes everything that was made, but for what copies are made of. */
  clear(): Promise<void>;
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
  const [files, originals] = [directories(), directories()];
  const newIn = async (where: typeof files): Promise<string> => join(await where.make(), 'store.db');
  let original: Promise<string> | null = null;
  const prepared = async (prepare: (url: string) => Promise<void>): Promise<string> => {
    const path = await newIn(originals);
    await prepare(`sqlite:${path}`);
    return path;
  };
  return {
    skipped: null,
    fresh: async () => `sqlite:${await newIn(files)}`,
    async copy(prepare) {
      original ??= prepared(prepare);
      const path = await newIn(files);
      await copyFile(await original, path);
      return `sqlite:${path}`;
    },
    directory: () => files.make(),
    clear: () => files.remove(),
    async cleanUp() {
      original = null;
      await files.remove();
      await originals.remove();
    },
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

function urlOf(database: string): string {
  const url = new URL(ADMIN_URL);
  url.pathname = `/${database}`;
  return url.href;
}

let named = 0;

/** Databases that are made and dropped together. */
function databases() {
  const made: string[] = [];
  return {
    /** An empty one, or one like `original`, which nobody may be connected to. */
    async create(original = 'template1'): Promise<string> {
      const name = `tallygate_test_${process.pid}_${Date.now().toString(36)}_${named++}`;
      await asAdmin((client) => client.query(`create database ${name} template ${original}`));
      made.push(name);
      return name;
    },
    async drop(): Promise<void> {
      if (made.length === 0) return;
      await asAdmin(async (client) => {
        for (const name of made.splice(0)) await client.query(`drop database if exists ${name} with (force)`);
      });
    },
  };
}

/**
 * Databases on the server that `TALLYGATE_TEST_POSTGRES_URL` names (default: the local one). Skips, saying why, when there
 * is none; with `postgres` in `REQUIRE` that is a failure.
 */
export async function postgresTarget(): Promise<StoreTarget> {
  const files = directories();
  const [made, originals] = [databases(), databases()];
  let original: Promise<string> | null = null;
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
  const prepared = async (prepare: (url: string) => Promise<void>): Promise<string> => {
    const name = await originals.create();
    await prepare(urlOf(name));
    return name;
  };
  return {
    skipped,
    fresh: async () => urlOf(await made.create()),
    async copy(prepare) {
      original ??= prepared(prepare);
      return urlOf(await made.create(await original));
    },
    directory: () => files.make(),
    async clear() {
      await files.remove();
      await made.drop();
    },
    async cleanUp() {
      original = null;
      await files.remove();
      await made.drop();
      await originals.drop();
    },
  };
}
