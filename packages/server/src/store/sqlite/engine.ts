import { systemClock } from '../../kernel/clock.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { restoreBackup } from '../queries/restore.ts';
import { createStore } from '../queries/store.ts';
import type { StoreEngine } from '../store.ts';
import { openDatabase, parseSqliteUrl } from './connection.ts';
import { createThreadedStore } from './threaded-store.ts';

/** Holds the ends of the ledger's indexes and the rollups of the hour. */
const CACHE_MIB = 32;

/** SQLite through `node:sqlite`: one file, one process. */
export const sqliteEngine: StoreEngine = {
  kind: 'sqlite',
  schemes: ['sqlite'],
  async open(url, { role }) {
    if (role === 'main') {
      const store = createThreadedStore(url);
      await store.start(); // a file that cannot be used is said now, not at the first request
      return store;
    }
    const { path, synchronous } = parseSqliteUrl(url);
    const database = openDatabase(path, { readOnly: false, synchronous, cacheMib: CACHE_MIB });
    return createStore(database, { kind: 'sqlite', multiProcess: false }, MIGRATIONS);
  },
  async restore(url, backupPath) {
    const { path, synchronous } = parseSqliteUrl(url);
    const database = openDatabase(path, { readOnly: false, synchronous, cacheMib: CACHE_MIB });
    try {
      return await restoreBackup(database, backupPath, { migrations: MIGRATIONS, nowMs: systemClock.now() });
    } finally {
      await database.close();
    }
  },
};
