import { createConfigTables } from './0001-config.ts';
import { createLedgerTables } from './0002-ledger.ts';
import { addAccountPins } from './0007-account-pins.ts';
import type { Migration } from './migration.ts';

/** Every migration, in order. */
export const MIGRATIONS: readonly Migration[] = [createConfigTables, createLedgerTables, addAccountPins];
