import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../kernel/clock.ts';
import { createLogger, type LogLevel } from '../kernel/logger.ts';
import { runLedgerThread } from '../ledger/ledger-thread.ts';
import type { LedgerThreadData } from '../ledger/ledger-thread-protocol.ts';
import { engineFor } from './engines.ts';

/** What the main thread starts the ledger's thread with, besides what the ledger itself needs. */
export interface LedgerThreadConfig {
  dbUrl: string;
  logLevel: LogLevel;
}

const { dbUrl, logLevel, ledger } = workerData as LedgerThreadConfig & { ledger: LedgerThreadData };

if (parentPort !== null) {
  await runLedgerThread(parentPort, () => engineFor(dbUrl).open(dbUrl, { role: 'ledger' }), {
    ...ledger,
    clock: systemClock,
    logger: createLogger(logLevel),
  });
}
