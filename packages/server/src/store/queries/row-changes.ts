import { AppError } from '../../kernel/errors.ts';
import type { StoreDatabase } from '../dialect.ts';
import type { AccountTable, ApiKeyTable, ProjectTable } from '../schema.ts';

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

type Named = 'project' | 'api_key' | 'account';

/** True when the row exists; an empty change changes nothing. */
export async function updateById(
  { kysely }: StoreDatabase,
  table: Named,
  change: { id: string; set: Partial<ProjectTable & ApiKeyTable & AccountTable> },
): Promise<boolean> {
  const { id, set } = change;
  if (Object.keys(set).length === 0) {
    return (
      (await kysely.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst()) !== undefined
    );
  }
  const result = await kysely.updateTable(table).set(set).where('id', '=', id).executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
