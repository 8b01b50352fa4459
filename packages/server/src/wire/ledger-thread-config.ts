import type { LogLevel } from '../kernel/logger.ts';

/** Words in `storeSignal`; 0 means wait. */
export const GO = 1;
export const STAY = 2;

/** What the main thread starts the ledger's thread with, besides what the ledger itself needs. */
export interface LedgerThreadConfig {
  dbUrl: string;
  logLevel: LogLevel;
  /** The log file, which the main thread rotates; null when there is none. */
  logFile: string | null;
  /** Becomes `GO` when the store is migrated, `STAY` when it never will be. */
  storeSignal: Int32Array<SharedArrayBuffer>;
}
