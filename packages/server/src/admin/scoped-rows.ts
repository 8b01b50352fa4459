import { visibleProject } from '../identity/principal.ts';
import { AppError } from '../kernel/errors.ts';
import type { Caller } from './route.ts';

/** What budgets and limits have in common: they belong to somebody and are about a scope. */
interface ScopedRow {
  id: string;
  scope: readonly { kind: string; value: string }[];
}

/** A caller that may see one project sees what is about that project, and nothing else. */
export function visibleRows<Row extends ScopedRow>(
  rows: readonly Row[],
  { principal }: Pick<Caller, 'principal'>,
): Row[] {
  const only = visibleProject(principal);
  if (only === null) return [...rows];
  return rows.filter(({ scope }) => scope.some(({ kind, value }) => kind === 'project' && value === only));
}

/**
 * The one of them with this id.
 * @throws AppError `resource_not_found`, also for one that the caller may not see
 */
export function visibleRow<Row extends ScopedRow>(
  rows: readonly Row[],
  caller: Pick<Caller, 'principal'>,
  id: string,
): Row {
  const row = visibleRows(rows, caller).find((one) => one.id === id);
  if (row === undefined) throw new AppError('resource_not_found');
  return row;
}
