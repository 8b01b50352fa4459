import type { OpenJournal } from '../journal/open-journal.ts';
import { openJournal } from '../journal/open-journal.ts';
import { siblingModule } from '../kernel/sibling-module.ts';
import { type LedgerClient, startLedger } from '../ledger/ledger-client.ts';
import { createLiveFeed, type LiveFeed } from '../ledger/live-feed.ts';
import type { Ground } from './base.ts';
import { GO, type LedgerThreadConfig, STAY } from './ledger-thread-config.ts';

/** The journal, and the thread that carries it to the store. */
export interface Journaling {
  journal: OpenJournal;
  ledger: LedgerClient;
  liveFeed: LiveFeed & { announce(): void };
  /** Who is told when rows of this process are in the store. */
  onOwnRows(told: () => void): void;
  /** Told of each row that is about to be journaled. */
  countRow(): void;
  /** Rows journaled by this process that are not in the store yet. */
  backlogRows(): number;
  /** Writes and commits what there is. */
  close(): Promise<void>;
}

/** Tells the ledger's thread, which loads meanwhile, that it may open the store; or that there is none. */
function signalWhen(storeReady: Promise<unknown>): Int32Array<SharedArrayBuffer> {
  const signal = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const say = (word: number): void => {
    Atomics.store(signal, 0, word);
    Atomics.notify(signal, 0);
  };
  storeReady.then(
    () => say(GO),
    () => say(STAY),
  );
  return signal;
}

async function startLedgerThread(
  ground: Ground,
  journal: OpenJournal,
  parts: { storeReady: Promise<unknown>; onRows(rows: number): void },
): Promise<LedgerClient> {
  const { config, clock, logger, paths } = ground;
  const threadConfig: LedgerThreadConfig = {
    dbUrl: config.dbUrl.reveal(),
    logLevel: config.logLevel,
    logFile: config.logFile,
    storeSignal: signalWhen(parts.storeReady),
  };
  return startLedger({
    module: siblingModule(import.meta.url, './ledger-thread'),
    workerData: { ...threadConfig },
    journal: {
      dir: paths.journalDir,
      journalId: journal.id,
      bootSegment: journal.bootSegment,
      safeEnd: journal.status().safeEnd,
    },
    clock,
    logger,
    rest: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    onCommitted(progress) {
      if (progress.rows > 0) parts.onRows(progress.rows);
      journal.releaseBelow(progress.lowWaterSegment).catch((error: unknown) => {
        logger.warn('old journal segments could not be removed', { error });
      });
    },
  });
}

/**
 * Opens the journal; resolves once everything an earlier process left is in the store.
 * @param storeReady when the store is migrated; until then the ledger's thread only loads
 * @throws when the store does not become ready, or the journal cannot be opened; nothing stays open then
 */
export async function openJournaling(ground: Ground, storeReady: Promise<unknown>): Promise<Journaling> {
  const { config, clock, logger, newId, paths } = ground;
  const journal = await openJournal({
    dir: paths.journalDir,
    fsync: config.journalFsync,
    maxWaitingBytes: config.journalMaxWaitingBytes,
    reserveBytes: config.journalReserveBytes,
    clock,
    logger,
    ids: newId,
  });
  const liveFeed = createLiveFeed();
  let rowsJournaled = 0;
  let rowsCommitted = 0;
  let ownRows: () => void = () => undefined;
  const ledger = await startLedgerThread(ground, journal, {
    storeReady,
    onRows(rows) {
      rowsCommitted += rows;
      liveFeed.announce();
      ownRows();
    },
  }).catch(async (error: unknown) => {
    await journal.close();
    throw error;
  });
  rowsCommitted = 0; // what an earlier process left is in the store by now and was never counted
  journal.onAdvance((safeEnd) => ledger.advance(safeEnd));
  return {
    journal,
    ledger,
    liveFeed,
    onOwnRows(told) {
      ownRows = told;
    },
    countRow() {
      rowsJournaled += 1;
    },
    backlogRows: () => Math.max(0, rowsJournaled - rowsCommitted),
    async close() {
      await journal.close();
      await ledger.close();
    },
  };
}
