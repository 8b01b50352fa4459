import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

interface User {
  id: string;
  username: string;
}

interface Renamed {
  id: string;
  before: string;
  after: string;
}

const MAX_NAME = 64;

const fold = (name: string): string => name.normalize('NFKC').toLowerCase().normalize('NFKC');

/** The name with the lowest number behind it that nobody has: `OLGA` becomes `OLGA-2`. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let number = 2; ; number++) {
    const end = `-${number}`;
    const candidate = `${name.slice(0, MAX_NAME - end.length)}${end}`;
    if (!taken.has(fold(candidate))) return candidate;
  }
}

/** Whoever came first keeps the name. A new name avoids every name there is, also of those who come later. */
async function separate(db: Kysely<Schema>): Promise<Renamed[]> {
  const { rows } = await sql<User>`select id, username from app_user order by created_at_ms, id`.execute(db);
  const taken = new Set(rows.map((user) => fold(user.username)));
  const kept = new Set<string>();
  const renamed: Renamed[] = [];
  for (const { id, username } of rows) {
    const own = fold(username);
    const name = kept.has(own) ? freeName(username, taken) : username;
    if (name !== username) renamed.push({ id, before: username, after: name });
    taken.add(fold(name));
    kept.add(fold(name));
    await sql`update app_user set username = ${name}, username_folded = ${fold(name)} where id = ${id}`.execute(
      db,
    );
  }
  return renamed;
}

/**
 * One user name, whatever its case. Two users whose names differ by case alone both stay: the later gets a number
 * behind the name. The start that finds `users_renamed` records it and tells the operator.
 */
export const foldUsernames: Migration = {
  version: 25,
  name: 'user names without case',
  async up(db) {
    await db.schema.alterTable('app_user').addColumn('username_folded', 'varchar(200)').execute();
    const renamed = await separate(db);
    await db.schema
      .createIndex('app_user_folded')
      .unique()
      .on('app_user')
      .column('username_folded')
      .execute();
    if (renamed.length === 0) return;
    await sql`insert into setting (name, value) values ('users_renamed', ${JSON.stringify(renamed)})`.execute(
      db,
    );
  },
};
