import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

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

/** As `acquireServerLock`, and while another process holds it, tries again for so long. */
export async function waitForServerLock(path: string, waitMs: number): Promise<(() => void) | null> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const release = acquireServerLock(path);
    if (release !== null || performance.now() > deadline) return release;
    await delay(POLL_MS);
  }
}
