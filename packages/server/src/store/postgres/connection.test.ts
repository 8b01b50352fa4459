import { eventually } from '@tallygate/testkit/eventually';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StoreDatabase } from '../dialect.ts';
import { openDatabase } from './connection.ts';

const target = await postgresTarget();

describe.skipIf(target.skipped !== null)('a connection that ends (X-08)', () => {
  let url = '';
  let database: StoreDatabase;
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  beforeAll(async () => {
    url = await target.fresh();
    process.on('uncaughtException', note);
  });
  afterEach(() => database.close());
  afterAll(async () => {
    process.off('uncaughtException', note);
    await target.cleanUp();
  });

  const backend = async (db: StoreDatabase['kysely']): Promise<number> => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    return rows[0]?.pid ?? 0;
  };
  /** Ends it as an administrator does, and as a server that dies: it is gone when this resolves. */
  async function end(pid: number): Promise<void> {
    const other = openDatabase(url, { max: 1 });
    try {
      await sql`select pg_terminate_backend(${pid})`.execute(other.kysely);
      await eventually('it is gone', async () => {
        const { rows } = await sql`select 1 from pg_stat_activity where pid = ${pid}`.execute(other.kysely);
        return rows.length === 0;
      });
    } finally {
      await other.close();
    }
  }

  it('between two statements of a transaction: the transaction fails as unavailable, the process goes on', async () => {
    database = openDatabase(url, { max: 1 });
    const write = database.write(async ({ db }) => {
      await end(await backend(db));
      await sql`select 1`.execute(db);
    });
    await expect(write).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await backend(database.kysely)).toBeGreaterThan(0); // another connection
    expect(uncaught).toEqual([]);
  });

  it('within a statement: the same', async () => {
    database = openDatabase(url, { max: 1 });
    const write = database.write(async ({ db }) => {
      const pid = await backend(db);
      const sleeping = sql`select pg_sleep(60)`.execute(db);
      await Promise.all([sleeping, end(pid)]);
    });
    await expect(write).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(uncaught).toEqual([]);
  });
});
