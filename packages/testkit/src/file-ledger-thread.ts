import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@tallygate/server/kernel/clock';
import { silentLogger } from '@tallygate/server/kernel/logger';
import { runLedgerThread } from '@tallygate/server/ledger/ledger-thread';
import type { LedgerThreadData } from '@tallygate/server/ledger/ledger-thread-protocol';
import { openFileLedgerStore } from './file-ledger-store.ts';

/** A ledger thread over the store in a file: what tests start instead of one over a database. */
const { folder, ledger } = workerData as { folder: string; ledger: LedgerThreadData };
if (parentPort === null) throw new Error('this module runs in a worker thread');
await runLedgerThread(
  parentPort,
  async () => ({ ledger: openFileLedgerStore(folder), close: async () => undefined }),
  { ...ledger, clock: systemClock, logger: silentLogger, waitedMs: () => null },
);
