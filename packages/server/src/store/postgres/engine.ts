import { systemClock } from '../../kernel/clock.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { restoreBackup } from '../queries/restore.ts';
import { createStore } from '../queries/store.ts';
import type { StoreEngine } from '../store.ts';
import { openDatabase } from './connection.ts';
import { leastRoleSql } from './least-role.ts';

const CONNECTIONS = { main: 10, ledger: 2 } as const;

/** PostgreSQL 15 or later through `pg`: several processes may share it. */
export const postgresEngine: StoreEngine = {
  kind: 'postgres',
  schemes: ['postgres', 'postgresql'],
  leastRoleSql,
  async open(url, { role }) {
    const database = openDatabase(url, { max: CONNECTIONS[role] });
    return createStore(database, { kind: 'postgres', multiProcess: true }, MIGRATIONS);
  },
  async restore(url, backupPath) {
    const database = openDatabase(url, { max: 1 });
    try {
      return await restoreBackup(database, backupPath, { migrations: MIGRATIONS, nowMs: systemClock.now() });
    } finally {
      await database.close();
    }
  },
};
