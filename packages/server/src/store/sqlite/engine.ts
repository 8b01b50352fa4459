import { systemClock } from '../../kernel/clock.ts';
import type { StoreEngine } from '../store.ts';
import { createThreadedStore } from './threaded-store.ts';

/** Holds the ends of the ledger's indexes and the rollups of the hour. */
const CACHE_MIB = 12;

/** Opens the file in this thread. Loaded here and not above: the main thread never needs it. */
async function openHere(url: string) {
  const { openDatabase, parseSqliteUrl } = await import('./connection.ts');
  const { MIGRATIONS } = await import('../migrations/migrations.ts');
  const { path, synchronous } = parseSqliteUrl(url);
  return {
    database: openDatabase(path, { readOnly: false, synchronous, cacheMib: CACHE_MIB }),
    migrations: MIGRATIONS,
  };
}

/** SQLite through `node:sqlite`: one file, one process. */
export const sqliteEngine: StoreEngine = {
  kind: 'sqlite',
  schemes: ['sqlite'],
  async preload(role) {
    if (role === 'ledger')
      await Promise.all([
        import('./connection.ts'),
        import('../queries/store.ts'),
        import('../migrations/migrations.ts'),
      ]);
  },
  async open(url, { role }) {
    if (role === 'main') {
      const store = createThreadedStore(url);
      await store.start(); // a file that cannot be used is said now, not at the first request
      return store;
    }
    const { createStore } = await import('../queries/store.ts');
    const { database, migrations } = await openHere(url);
    return createStore(database, { kind: 'sqlite', multiProcess: false }, migrations);
  },
  async restore(url, backupPath) {
    const { restoreBackup } = await import('../queries/restore.ts');
    const { database, migrations } = await openHere(url);
    try {
      return await restoreBackup(database, backupPath, { migrations, nowMs: systemClock.now() });
    } finally {
      await database.close();
    }
  },
};
