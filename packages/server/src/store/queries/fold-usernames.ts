import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** Setting that holds who got another name, until the operator was told. */
export const RENAMED_SETTING = 'users_renamed';

export interface RenamedUser {
  id: string;
  before: string;
  after: string;
}

interface User {
  id: string;
  username: string;
  folded: string | null;
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
async function separate(db: Kysely<Schema>): Promise<RenamedUser[]> {
  const { rows } =
    await sql<User>`select id, username, username_folded as folded from app_user order by created_at_ms, id`.execute(
      db,
    );
  const taken = new Set(rows.map((user) => fold(user.username)));
  const kept = new Set(rows.flatMap(({ folded }) => folded ?? []));
  const renamed: RenamedUser[] = [];
  for (const { id, username, folded } of rows) {
    if (folded !== null) continue;
    const name = kept.has(fold(username)) ? freeName(username, taken) : username;
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
 * Gives every user without one a name to compare by. Two users whose names differ by case alone both stay: the later
 * gets a number behind the name, and `RENAMED_SETTING` says so. Who has a name to compare by keeps it.
 */
export async function foldUsernames(db: Kysely<Schema>): Promise<void> {
  const renamed = await separate(db);
  if (renamed.length === 0) return;
  const { rows } = await sql<{
    value: string;
  }>`select value from setting where name = ${RENAMED_SETTING}`.execute(db);
  const untold = rows[0]?.value ? (JSON.parse(rows[0].value) as RenamedUser[]) : [];
  const value = JSON.stringify([...untold, ...renamed]);
  await sql`delete from setting where name = ${RENAMED_SETTING}`.execute(db);
  await sql`insert into setting (name, value) values (${RENAMED_SETTING}, ${value})`.execute(db);
}
