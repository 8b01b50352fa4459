import type { UsageEvent } from '../accounting/usage-event.ts';
import { ENTRY_OPENED, type JournalEntry, type JournalPosition } from '../journal/journal.ts';
import { comparePositions, JOURNAL_START } from '../journal/position.ts';
import { type JournalDamage, readEntryAt, readJournal } from '../journal/read-journal.ts';
import type { LedgerCheckpoint, LedgerStore } from '../store/store.ts';
import { decodeOpened, decodeSettled, openedId } from './journal-entries.ts';
import { type CommitFailure, commitRows, pause, reasonOf } from './ledger-commit.ts';
import { OpenRequests } from './open-requests.ts';
import type { Quarantine } from './quarantine.ts';

export interface LedgerProgress {
  /** Everything before this is in the store; the checkpoint. */
  committed: JournalPosition;
  /** Everything before this was read: it is in the store, or opened and not settled yet. */
  settledThrough: JournalPosition;
  /** The journal may let go of segments below. */
  lowWaterSegment: number;
  /** Rows handed to the store, and how many of them it did not have yet. */
  rows: number;
  inserted: number;
}

export interface LedgerReports {
  onProgress(progress: LedgerProgress): void;
  onFailure(failure: CommitFailure): void;
  onDamage(damage: JournalDamage): void;
  /** A row or entry that was set aside; null when the entry cannot even be decoded. */
  onQuarantined(eventId: string | null, reason: string): void;
}

export interface LedgerWriterOptions {
  dir: string;
  /** What the checkpoint is filed under: the journal's id. */
  nodeId: string;
  store: LedgerStore;
  quarantine: Quarantine;
  reports: LedgerReports;
  wait(ms: number): Promise<void>;
}

/** Carries entries from the journal to the store. The journal is the queue: nothing is held but the batch in hand. */
export class LedgerWriter {
  readonly #options: LedgerWriterOptions;
  readonly #open = new OpenRequests();
  #read: JournalPosition;
  #checkpoint: LedgerCheckpoint;

  /** @param checkpoint what the store holds, or where to start when it holds none */
  constructor(options: LedgerWriterOptions, checkpoint: LedgerCheckpoint) {
    this.#options = options;
    this.#checkpoint = checkpoint;
    // From the low-water segment on, so that the opened entries of unsettled requests are known.
    const { committed, lowWaterSegment } = checkpoint;
    this.#read = { segment: Math.min(lowWaterSegment, committed.segment), offset: 0 };
  }

  get settledThrough(): JournalPosition {
    return this.#read;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  /**
   * Reads on to this position and commits what it finds there. Resolves when all of it is in the store or set
   * aside, however long the store fails.
   * @param safeEnd announced by the journal, never beyond it
   * @returns rows handed to the store
   */
  async advance(safeEnd: JournalPosition): Promise<number> {
    let events: UsageEvent[] = [];
    let rows = 0;
    const { dir, reports, store } = this.#options;
    const entries = readJournal(dir, this.#read, { to: safeEnd, onDamage: reports.onDamage });
    for (const entry of entries) {
      this.#take(entry, events);
      this.#read = entry.end;
      if (events.length < store.rowsPerCommit) continue;
      rows += events.length;
      await this.#commit(events);
      events = [];
    }
    if (comparePositions(safeEnd, this.#read) > 0) this.#read = safeEnd;
    rows += events.length;
    // Opened entries alone need no commit, unless a segment is behind us that could be released.
    const segmentBehind = this.#read.segment > this.#checkpoint.committed.segment;
    if (events.length > 0 || segmentBehind) await this.#commit(events);
    else this.#report(0, 0);
    return rows;
  }

  /**
   * Settles every request that is still open as interrupted. Killed anywhere in between, the next call does it
   * again and each row is still there once: rows go in by id, and the checkpoint moves only after the last of them.
   * @returns how many there were
   */
  async interruptOpen(): Promise<number> {
    const positions = this.#open.positions();
    const held = this.#checkpoint;
    const { rowsPerCommit } = this.#options.store;
    for (let from = 0; from < positions.length; from += rowsPerCommit) {
      const events = positions.slice(from, from + rowsPerCommit).flatMap((start) => this.#interrupted(start));
      await this.#commitUnder(events, held);
    }
    this.#open.clear();
    await this.#commit([]);
    return positions.length;
  }

  #take(entry: JournalEntry, events: UsageEvent[]): void {
    try {
      if (entry.type === ENTRY_OPENED) {
        this.#open.open(openedId(entry.payload), entry.start);
        return;
      }
      const settled = decodeSettled(entry.payload);
      this.#open.settle(settled.openedId);
      if (comparePositions(entry.start, this.#checkpoint.committed) >= 0) events.push(...settled.events);
    } catch (error) {
      // The checksum holds, so this is what was written: a bug or a newer version, and it must not stop the rest.
      // Before the checkpoint it was set aside already: it is only read again to know what is open.
      if (comparePositions(entry.start, this.#checkpoint.committed) < 0) return;
      this.#options.quarantine.keep(entry.payload.toString('utf8'), 'undecodable');
      this.#options.reports.onQuarantined(null, reasonOf(error));
    }
  }

  #interrupted(start: JournalPosition): UsageEvent[] {
    const { dir, reports, quarantine } = this.#options;
    const entry = readEntryAt(dir, start);
    if (entry === null) {
      reports.onDamage({ kind: 'corrupt', at: start, resumedAt: start, lostBytes: null });
      return [];
    }
    try {
      return [asInterrupted(decodeOpened(entry.payload).event)];
    } catch (error) {
      quarantine.keep(entry.payload.toString('utf8'), 'undecodable');
      reports.onQuarantined(null, reasonOf(error));
      return [];
    }
  }

  #commit(events: readonly UsageEvent[]): Promise<void> {
    const { nodeId } = this.#options;
    const { committed: before } = this.#checkpoint;
    // Reading starts below the checkpoint, at the low-water segment: it must not move back.
    const committed = comparePositions(this.#read, before) > 0 ? this.#read : before;
    const lowWaterSegment = this.#open.lowestSegment(committed.segment);
    return this.#commitUnder(events, { nodeId, committed, lowWaterSegment });
  }

  async #commitUnder(events: readonly UsageEvent[], checkpoint: LedgerCheckpoint): Promise<void> {
    const { store, quarantine, wait, reports } = this.#options;
    const deps = { store, quarantine, wait, ...pick(reports) };
    const inserted = await commitRows(deps, events, checkpoint, this.#checkpoint);
    this.#checkpoint = checkpoint;
    this.#report(events.length, inserted);
  }

  #report(rows: number, inserted: number): void {
    const { committed, lowWaterSegment } = this.#checkpoint;
    const settledThrough = this.#read;
    this.#options.reports.onProgress({ committed, settledThrough, lowWaterSegment, rows, inserted });
  }
}

function pick({ onFailure, onQuarantined }: LedgerReports) {
  return { onFailure, onQuarantined };
}

/**
 * The row of a request whose process died. When it ended is unknown, so neither an end nor a latency is claimed;
 * tokens and cost stay what the opened entry carries: unknown, or the conservative estimate.
 */
export function asInterrupted(event: UsageEvent): UsageEvent {
  return {
    ...event,
    status: 'interrupted',
    settleStatus: 'interrupted',
    endedAtMs: null,
    latencyMs: null,
    attempts: event.attempts.map((attempt) =>
      attempt.endedAtMs === null ? { ...attempt, outcome: 'interrupted' } : attempt,
    ),
  };
}

export interface RecoveryOptions extends LedgerWriterOptions {
  /** The first segment of the process that runs now. */
  bootSegment: number;
  /** End of the journal now. */
  safeEnd: JournalPosition;
}

export interface Recovery {
  writer: LedgerWriter;
  /** Rows found in the journal beyond the checkpoint. */
  rows: number;
  interrupted: number;
}

/**
 * Brings the store up to date with the journal: commits what settled after the checkpoint, and settles what
 * earlier processes left open as interrupted. Requests of the process that runs now stay open: after a crash of
 * the ledger's thread alone, they are still being served.
 */
export async function recoverLedger(options: RecoveryOptions): Promise<Recovery> {
  const { bootSegment, safeEnd, reports } = options;
  const boot: JournalPosition = { segment: bootSegment, offset: 0 };
  let checkpoint = await readCheckpoint(options);
  if (checkpoint !== null && comparePositions(checkpoint.committed, safeEnd) > 0) {
    // The journal was put back to an older state. Everything in it is read again; rows go in by id.
    reports.onDamage({ kind: 'missing_segment', at: safeEnd, resumedAt: JOURNAL_START, lostBytes: null });
    checkpoint = null;
  }
  const start = { nodeId: options.nodeId, committed: JOURNAL_START, lowWaterSegment: 0 };
  const writer = new LedgerWriter(options, checkpoint ?? start);
  let rows = await writer.advance(boot);
  // When only this thread died, that is done already, and what is open in newer segments is not known yet. The
  // low-water segment tells, not `committed`: it reaches the boot segment only once nothing older is open.
  const isFirst = checkpoint === null || checkpoint.lowWaterSegment < bootSegment;
  const interrupted = isFirst ? await writer.interruptOpen() : 0;
  rows += await writer.advance(safeEnd);
  return { writer, rows, interrupted };
}

async function readCheckpoint(options: LedgerWriterOptions): Promise<LedgerCheckpoint | null> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await options.store.readCheckpoint(options.nodeId);
    } catch (error) {
      await pause({ wait: options.wait, onFailure: options.reports.onFailure }, error, attempts);
    }
  }
}
