import type { BulkColumn, BulkTable } from '../dialect.ts';

export interface BackupTable extends BulkTable {
  /** Primary key: the order in which rows are read. */
  key: readonly string[];
}

/** `name` for text, `name#` for whole numbers. */
export function columns(...names: string[]): BulkColumn[] {
  return names.map((name) =>
    name.endsWith('#') ? { name: name.slice(0, -1), kind: 'int' } : { name, kind: 'text' },
  );
}
