import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IdSource } from '../kernel/ids.ts';

const NAME = 'journal.id';

/**
 * The journal's own id, made on first use and kept beside its segments. The ledger's checkpoint is filed under it,
 * so that a journal that was wiped or replaced is never taken for the one the checkpoint speaks of.
 * @throws the system's error when it can neither be read nor written
 */
export function journalId(dir: string, ids: IdSource): string {
  const path = join(dir, NAME);
  try {
    const id = readFileSync(path, 'utf8').trim();
    if (id !== '') return id;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = ids();
  // By rename, so that a crash leaves no half-written id.
  writeFileSync(`${path}.new`, `${id}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return id;
}
