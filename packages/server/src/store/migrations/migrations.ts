import { createConfigTables } from './0001-config.ts';
import { createLedgerTables } from './0002-ledger.ts';
import { createPoolTables } from './0008-pool.ts';
import type { Migration } from './migration.ts';

/** Every migration, in order, without gaps. */
export const MIGRATIONS: readonly Migration[] = [createConfigTables, createLedgerTables, createPoolTables];
