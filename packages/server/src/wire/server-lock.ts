import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * Makes sure that one server at a time uses a data directory. The lock is the operating system's, held through
 * SQLite's own file locking, so it is gone the moment the process is, however it ended: no stale pid files.
 * @returns the function that releases it, or null when another process holds it
 */
export function acquireServerLock(path: string): (() => void) | null {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    chmodSync(path, 0o600);
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (n INTEGER);',
    );
    return () => database.close();
  } catch {
    database.close();
    return null;
  }
}
