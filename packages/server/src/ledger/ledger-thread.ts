import { setTimeout as wait } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { JournalPosition } from '../journal/journal.ts';
import { comparePositions } from '../journal/position.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { LedgerStore } from '../store/store.ts';
import type { FromLedgerThread, LedgerThreadData, ToLedgerThread } from './ledger-thread-protocol.ts';
import { type LedgerReports, type LedgerWriter, recoverLedger } from './ledger-writer.ts';
import { createQuarantine } from './quarantine.ts';
import { StarvationWatch } from './starvation.ts';

/** A lone request is in the store this long after it settled, plus the commit. */
const QUIET_BATCH_MS = 25;
/** Under load rows gather longer: a commit costs about the same for one row as for a hundred. */
const BUSY_BATCH_MS = 100;
const BUSY_ROWS = 50;
/** Further behind than this there is nothing to wait for. */
const BEHIND_BYTES = 512 * 1024;

export interface LedgerThreadStore {
  ledger: LedgerStore;
  close(): Promise<void>;
}

export interface LedgerThreadOptions extends LedgerThreadData {
  clock: Clock;
  logger: Logger;
  /** How long this thread has been in line for a core so far; null where the system does not tell. */
  waitedMs(): number | null;
}

/**
 * The body of the ledger's thread: recovers, says `ready`, then carries the journal to the store as it grows,
 * until told to close.
 * @throws when the store cannot be opened, or the journal cannot be read; the thread ends and is started again
 */
export async function runLedgerThread(
  port: MessagePort,
  openStore: () => Promise<LedgerThreadStore>,
  options: LedgerThreadOptions,
): Promise<void> {
  const inbox = new Inbox(port, options.safeEnd);
  const store = await openStore();
  try {
    const { dir, journalId, bootSegment, safeEnd, clock } = options;
    const { writer, rows, interrupted } = await recoverLedger({
      dir,
      nodeId: journalId,
      bootSegment,
      safeEnd,
      store: store.ledger,
      quarantine: createQuarantine(dir, clock),
      reports: reportsTo(port, options),
      wait,
    });
    say(port, { type: 'ready', rows, interrupted });
    await follow(inbox, writer);
  } finally {
    await store.close();
  }
  say(port, { type: 'closed' });
  port.close();
}

async function follow(inbox: Inbox, writer: LedgerWriter): Promise<void> {
  let rows = 0;
  while (await inbox.beyond(writer.settledThrough)) {
    if (!inbox.closing && !farBehind(inbox.safeEnd, writer.settledThrough)) {
      await inbox.gather(rows >= BUSY_ROWS ? BUSY_BATCH_MS : QUIET_BATCH_MS);
    }
    rows = await writer.advance(inbox.safeEnd);
  }
}

function farBehind(safeEnd: JournalPosition, read: JournalPosition): boolean {
  return safeEnd.segment !== read.segment || safeEnd.offset - read.offset > BEHIND_BYTES;
}

function say(port: MessagePort, message: FromLedgerThread): void {
  port.postMessage(message);
}

function reportsTo(port: MessagePort, options: LedgerThreadOptions): LedgerReports {
  const { clock, logger, waitedMs } = options;
  const watch = new StarvationWatch({ nowMs: () => clock.monotonicMs(), waitedMs });
  return {
    onProgress(progress) {
      const starved = watch.changed();
      if (starved !== null) say(port, { type: 'starved', starved });
      say(port, { type: 'committed', ...progress });
    },
    onFailure(failure) {
      logger.warn('the store failed: the ledger tries again', {
        reason: failure.reason,
        count: failure.attempts,
      });
      say(port, { type: 'failed', ...failure });
    },
    onDamage(damage) {
      const { kind, at, lostBytes } = damage;
      const place = { segment: at.segment, offset: at.offset, bytes: lostBytes ?? 0 };
      if (kind === 'torn_tail') logger.info('the journal ended in half an entry', place);
      else logger.error('the journal is damaged: entries may be lost', { reason: kind, ...place });
      say(port, { type: 'damage', damage });
    },
    onQuarantined(eventId, reason) {
      const fields = eventId === null ? { reason } : { reason, requestId: eventId };
      logger.error('the ledger set an entry aside in quarantine.jsonl', fields);
      say(port, { type: 'quarantined', eventId, reason });
    },
  };
}

/** The newest end the main thread announced, and waiting for it. */
class Inbox {
  safeEnd: JournalPosition;
  closing = false;
  #wake: (() => void) | null = null;
  #endGathering: AbortController | null = null;

  constructor(port: MessagePort, safeEnd: JournalPosition) {
    this.safeEnd = safeEnd;
    port.on('message', (message: ToLedgerThread) => this.#take(message));
  }

  /** Resolves true when the journal goes on beyond `read`; false when it does not and the thread is to close. */
  async beyond(read: JournalPosition): Promise<boolean> {
    while (comparePositions(this.safeEnd, read) <= 0) {
      if (this.closing) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return true;
  }

  /** Waits for more to come, but not once the thread is to close. */
  async gather(ms: number): Promise<void> {
    this.#endGathering = new AbortController();
    await wait(ms, undefined, { signal: this.#endGathering.signal }).catch(() => undefined);
  }

  #take(message: ToLedgerThread): void {
    if (comparePositions(message.safeEnd, this.safeEnd) > 0) this.safeEnd = message.safeEnd;
    if (message.type === 'close') {
      this.closing = true;
      this.#endGathering?.abort();
    }
    this.#wake?.();
  }
}
