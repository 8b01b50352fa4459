import { postgresTarget, type StoreTarget, sqliteTarget } from '@tallygate/testkit/store-target';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoreDatabase } from '../store/dialect.ts';
import { migrate } from '../store/migrations/migrate.ts';
import { MIGRATIONS } from '../store/migrations/migrations.ts';
import { openDatabase as openPostgres } from '../store/postgres/connection.ts';
import { postgresEngine } from '../store/postgres/engine.ts';
import { openDatabase as openSqlite, parseSqliteUrl } from '../store/sqlite/connection.ts';
import { sqliteEngine } from '../store/sqlite/engine.ts';
import type { StoreEngine } from '../store/store.ts';
import { tellRenamedUsers } from './tell-renamed.ts';

const OPTIONS = { readOnly: false, synchronous: 'NORMAL', cacheMib: 4 } as const;

interface Kind {
  engine: StoreEngine;
  target: StoreTarget;
  open(url: string): StoreDatabase;
}
const KINDS: Kind[] = [
  {
    engine: sqliteEngine,
    target: sqliteTarget(),
    open: (url) => openSqlite(parseSqliteUrl(url).path, OPTIONS),
  },
  {
    engine: postgresEngine,
    target: await postgresTarget(),
    open: (url) => openPostgres(url, { max: 1 }),
  },
];

/** By id, with the time each was made: `b` is older than `a`, and `f` took a name that a number could give. */
const BEFORE = [
  { id: 'a', username: 'OLGA', atMs: 20 },
  { id: 'b', username: 'olga', atMs: 10 },
  { id: 'c', username: 'Olga', atMs: 20 },
  { id: 'd', username: 'maria', atMs: 5 },
  { id: 'e', username: `X${'y'.repeat(63)}`, atMs: 6 },
  { id: 'f', username: 'Olga-2', atMs: 30 },
  { id: 'g', username: `x${'y'.repeat(63)}`, atMs: 7 },
];
const LONG = `x${'y'.repeat(61)}-2`;

describe.each(KINDS)('user names that differ by case alone ($engine.kind)', ({ engine, target, open }) => {
  afterEach(() => target.cleanUp());

  async function migrated(users: typeof BEFORE): Promise<string> {
    const url = await target.fresh();
    const database = open(url);
    await migrate(
      database,
      MIGRATIONS.filter(({ version }) => version < 25),
      1,
    );
    for (const { id, username, atMs } of users) {
      await sql`insert into app_user (id, username, password_hash, created_at_ms) values (${id}, ${username}, ${`hash of ${id}`}, ${atMs})`.execute(
        database.kysely,
      );
    }
    await migrate(database, MIGRATIONS, 2);
    await database.close();
    return url;
  }

  it.skipIf(target.skipped !== null)(
    'the oldest keeps the name, the others get a number, nobody is lost, and the operator is told once (CF-14)',
    { timeout: 60_000 },
    async () => {
      const store = await engine.open(await migrated(BEFORE), { role: 'main' });
      const found = await Promise.all(BEFORE.map(({ id }) => store.identity.findUser(id)));
      expect(found.map((user) => [user?.id, user?.username, user?.passwordHash])).toEqual([
        ['a', 'OLGA-3', 'hash of a'],
        ['b', 'olga', 'hash of b'],
        ['c', 'Olga-4', 'hash of c'],
        ['d', 'maria', 'hash of d'],
        ['e', `X${'y'.repeat(63)}`, 'hash of e'],
        ['f', 'Olga-2', 'hash of f'],
        ['g', LONG, 'hash of g'],
      ]);
      expect((await store.identity.findUserByName('OLGA'))?.id).toBe('b');
      expect((await store.identity.findUserByName('olga-3'))?.id).toBe('a');

      const notices: string[] = [];
      const clock = { now: () => 77, monotonicMs: () => 77 };
      await tellRenamedUsers({ store, clock, notices });
      expect(notices).toHaveLength(3);
      expect(notices).toContainEqual(expect.stringContaining('"OLGA" is called "OLGA-3"'));
      const told = await store.audit.list(
        { workspaceId: null, action: 'user.renamed' },
        { limit: 9, beforeSeq: null },
      );
      expect(told.map(({ resource, resourceId, changes }) => [resource, resourceId, changes[0]])).toEqual([
        ['user', 'c', { field: 'username', before: 'Olga', after: 'Olga-4' }],
        ['user', 'a', { field: 'username', before: 'OLGA', after: 'OLGA-3' }],
        ['user', 'g', { field: 'username', before: `x${'y'.repeat(63)}`, after: LONG }],
      ]);
      await tellRenamedUsers({ store, clock, notices });
      expect(notices).toHaveLength(3);
      await store.close();
    },
  );

  it.skipIf(target.skipped !== null)(
    'a user whom an older program made afterwards can sign in, and gets a name of their own at the next start',
    { timeout: 60_000 },
    async () => {
      const url = await migrated(BEFORE.slice(1, 2)); // olga
      const database = open(url);
      for (const { id, username, atMs } of BEFORE.slice(2, 4)) {
        await sql`insert into app_user (id, username, password_hash, created_at_ms) values (${id}, ${username}, 'hash', ${atMs - 15})`.execute(
          database.kysely,
        );
      }
      await database.close();
      const store = await engine.open(url, { role: 'main' });
      const find = async (name: string) => (await store.identity.findUserByName(name))?.id;
      expect([await find('maria'), await find('Olga'), await find('olga')]).toEqual(['d', 'c', 'b']);
      const notices: string[] = [];
      await tellRenamedUsers({ store, clock: { now: () => 1, monotonicMs: () => 1 }, notices });
      expect(notices).toEqual([expect.stringContaining('"Olga" is called "Olga-2"')]);
      expect([await find('MARIA'), await find('Olga'), await find('OLGA-2')]).toEqual(['d', 'b', 'c']);
      await store.close();
    },
  );

  it.skipIf(target.skipped !== null)(
    'nothing is told where no names collide',
    { timeout: 60_000 },
    async () => {
      const store = await engine.open(await migrated(BEFORE.slice(3, 5)), { role: 'main' });
      const notices: string[] = [];
      await tellRenamedUsers({ store, clock: { now: () => 1, monotonicMs: () => 1 }, notices });
      expect(notices).toEqual([]);
      expect((await store.identity.findUserByName('MARIA'))?.id).toBe('d');
      await store.close();
    },
  );
});
