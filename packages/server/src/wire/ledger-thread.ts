import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../kernel/clock.ts';
import { appendingSink } from '../kernel/log-file.ts';
import { createLogger } from '../kernel/logger.ts';
import { LEAST_PRIORITY, lowerThreadPriority, threadWaitMs } from '../kernel/thread-priority.ts';
import { runLedgerThread } from '../ledger/ledger-thread.ts';
import type { LedgerThreadData } from '../ledger/ledger-thread-protocol.ts';
import { engineFor } from './engines.ts';
import { GO, type LedgerThreadConfig } from './ledger-thread-config.ts';

const { dbUrl, logLevel, logFile, storeSignal, ledger } = workerData as LedgerThreadConfig & {
  ledger: LedgerThreadData;
};

/** The engine loads while the main thread migrates; the store is opened after that. */
async function openStore() {
  const engine = await engineFor(dbUrl);
  await engine.preload?.('ledger');
  await Atomics.waitAsync(storeSignal, 0, 0).value;
  if (Atomics.load(storeSignal, 0) !== GO) throw new Error('the store did not open');
  return engine.open(dbUrl, { role: 'ledger' });
}

if (parentPort !== null) {
  // Requests come first, the journal holds what waits, and `LedgerClient` sees to it that it is not too much. While
  // this thread had more than the least, a request now and then waited a whole tick of the system for its turn to end.
  lowerThreadPriority(LEAST_PRIORITY);
  await runLedgerThread(parentPort, openStore, {
    ...ledger,
    clock: systemClock,
    waitedMs: threadWaitMs,
    logger: createLogger(logLevel, logFile === null ? null : appendingSink(logFile)),
  });
}
