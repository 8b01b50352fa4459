import type { ReactNode } from 'react';
import list from './list-table.module.css';

interface Props {
  /** Heads of the columns, one that is false is left out. */
  columns: readonly (string | false)[];
  /** Each row ends with what can be done with it; that column has a name for those who hear the table. */
  acts?: boolean;
  /** The rows. */
  children: ReactNode;
}

/** A table of things by name. On a phone each row becomes a small block with its labels. */
export function ListTable({ columns, acts = false, children }: Props) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          {columns.map(
            (column) =>
              column !== false && (
                <th key={column} scope="col">
                  {column}
                </th>
              ),
          )}
          {acts && (
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
