import type { Kysely } from 'kysely';
import { AppError } from '../../kernel/errors.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { OwnedRef } from '../store.ts';
import type { AccountTable } from '../tables/account-tables.ts';
import type { ApiKeyTable, ProjectTable } from '../tables/config-tables.ts';

/** Taking this row first makes changes to one thing take turns on every engine. */
export async function takeTurn(db: Kysely<Schema>, thing: 'first_user' | 'people'): Promise<void> {
  await db
    .updateTable('store_lock')
    .set((eb) => ({ turn: eb('turn', '+', 1) }))
    .where('name', '=', thing)
    .execute();
}

/** Turns the engine's unique violation into the error people see. */
export async function unlessTaken(
  database: StoreDatabase,
  detail: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!database.dialect.isUniqueViolation(cause)) throw cause;
    throw new AppError('name_taken', { detail, cause });
  }
}

/** The change without what it does not name. */
export function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}

type Owned = 'project' | 'api_key' | 'account' | 'budget' | 'rate_limit';

/** True when the workspace has the row; an empty change changes nothing. */
export async function updateOwned(
  { kysely }: StoreDatabase,
  table: Exclude<Owned, 'budget' | 'rate_limit'>,
  { id, workspaceId }: OwnedRef,
  set: Partial<ProjectTable & ApiKeyTable & AccountTable>,
): Promise<boolean> {
  if (Object.keys(set).length === 0) {
    const found = kysely.selectFrom(table).select('id').where('id', '=', id);
    return (await found.where('workspace_id', '=', workspaceId).executeTakeFirst()) !== undefined;
  }
  const result = await kysely
    .updateTable(table)
    .set(set)
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The rows of one workspace, or of all of them with null; oldest first. */
export function listOwned<T extends Owned>({ kysely }: StoreDatabase, table: T, workspaceId: string | null) {
  let query = kysely.selectFrom(table as Owned).selectAll();
  if (workspaceId !== null) query = query.where('workspace_id', '=', workspaceId);
  return query.orderBy('created_at_ms').orderBy('id').execute() as unknown as Promise<Schema[T][]>;
}
