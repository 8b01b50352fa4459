import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../kernel/clock.ts';
import { appendingSink } from '../kernel/log-file.ts';
import { createLogger } from '../kernel/logger.ts';
import { lowerThreadPriority } from '../kernel/thread-priority.ts';
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

/**
 * Requests come first; the journal holds what waits. Of a core that is busy with requests alone this leaves a
 * fifteenth, some thousand rows a second; at 5 a request still waited milliseconds for the ledger's turn to end.
 */
const LEDGER_NICE = 12;

if (parentPort !== null) {
  lowerThreadPriority(LEDGER_NICE);
  await runLedgerThread(parentPort, openStore, {
    ...ledger,
    clock: systemClock,
    logger: createLogger(logLevel, logFile === null ? null : appendingSink(logFile)),
  });
}
