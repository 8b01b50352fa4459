import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { MAX_PAYLOAD_BYTES } from './frame.ts';
import { FrameBatch, type OnSafe } from './frame-batch.ts';
import type { FreeSpace } from './free-space.ts';
import {
  ENTRY_OPENED,
  type EntryType,
  type FsyncPolicy,
  type JournalPosition,
  type JournalStatus,
  type JournalWriter,
} from './journal.ts';
import type { JournalFiles } from './journal-files.ts';
import type { AppendOutcome, SegmentAppender } from './segment-appender.ts';
import { segmentPath } from './segment-files.ts';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;

export interface SegmentWriterOptions {
  dir: string;
  fsync: FsyncPolicy;
  maxWaitingBytes: number;
  maxWaitingMs: number;
  clock: Clock;
  logger: Logger;
  files: JournalFiles;
  appender: SegmentAppender;
  freeSpace: FreeSpace;
  /** Sizes of the segments that were there before, by number. */
  olderSegments: ReadonlyMap<number, number>;
}

interface Failure {
  code: string;
  sinceMs: number;
  retryMs: number;
  timer: NodeJS.Timeout;
}

/**
 * Writes are synchronous: into the page cache they cost a third of what a round trip through the thread pool
 * costs, and delay the event loop no more at the 99.9th percentile (figures in docs/journal.md). Syncing to the
 * disk is asynchronous, and what arrives meanwhile shares the next write and sync.
 */
export class SegmentWriter implements JournalWriter {
  readonly #options: SegmentWriterOptions;
  readonly #appender: SegmentAppender;
  readonly #sizes: Map<number, number>;
  readonly #listeners: ((safeEnd: JournalPosition) => void)[] = [];
  #pending = new FrameBatch();
  /** Older than `#pending`; what is left of it after a failure is written first. */
  #writing = new FrameBatch();
  #scheduled = false;
  #rounds: Promise<void> | null = null;
  #failure: Failure | null = null;
  #safeEnd: JournalPosition;
  #closed = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#appender = options.appender;
    this.#sizes = new Map(options.olderSegments);
    this.#safeEnd = options.appender.end;
    this.#sizes.set(this.#safeEnd.segment, this.#safeEnd.offset);
  }

  append(type: EntryType, payload: string, onSafe: OnSafe): void {
    const refusal = this.#refusal(type, payload);
    if (refusal !== null) {
      setImmediate(onSafe, refusal);
      return;
    }
    this.#pending.add(type, payload, onSafe);
    this.#scheduleWaiting();
  }

  accepting(): boolean {
    return !this.#closed && !this.#isFull();
  }

  status(): JournalStatus {
    let bytesOnDisk = 0;
    for (const size of this.#sizes.values()) bytesOnDisk += size;
    const failing = this.#failure === null ? 'ok' : 'degraded';
    return {
      state: this.#isFull() ? 'full' : failing,
      problem: this.#failure?.code ?? (this.#options.freeSpace.low ? 'low_space' : null),
      safeEnd: this.#safeEnd,
      bytesOnDisk,
      waitingEntries: this.#writing.waitingEntries + this.#pending.waitingEntries,
    };
  }

  onAdvance(listener: (safeEnd: JournalPosition) => void): void {
    this.#listeners.push(listener);
  }

  async releaseBelow(segment: number): Promise<void> {
    const newest = this.#safeEnd.segment;
    const doomed = [...this.#sizes.keys()].filter((number) => number < segment && number < newest);
    for (const number of doomed) {
      try {
        await this.#options.files.removeLater(segmentPath(this.#options.dir, number));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      this.#sizes.delete(number);
    }
  }

  /** @throws AppError `journal_unavailable` when entries were waiting and could not be written; their callbacks say so too. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.freeSpace.stop();
    this.#endFailure();
    await this.#rounds;
    // A failure of the round that was under way gets one more try, like any other.
    this.#endFailure();
    if (this.#options.fsync === 'process') this.#writeWaiting();
    else await this.#writeRounds();
    const failure = this.#failure;
    this.#endFailure();
    const lost = [...this.#writing.clear(), ...this.#pending.clear()];
    const error = new AppError('journal_unavailable', { details: { code: failure?.code } });
    for (const onSafe of lost) this.#call(onSafe, error);
    this.#appender.close();
    if (lost.length > 0) throw error;
  }

  #refusal(type: EntryType, payload: string): Error | null {
    const { maxWaitingBytes } = this.#options;
    if (payload.length * 3 > MAX_PAYLOAD_BYTES && Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
      return new RangeError(`a journal entry holds at most ${MAX_PAYLOAD_BYTES} bytes`);
    }
    // A request that was let in must be able to settle: its entry may use as much again.
    const refused = type === ENTRY_OPENED ? this.#isFull() : this.#waitingBytes() >= 2 * maxWaitingBytes;
    return this.#closed || refused ? new AppError('journal_unavailable') : null;
  }

  #waitingBytes(): number {
    return this.#writing.waitingBytes + this.#pending.waitingBytes;
  }

  #isFull(): boolean {
    const { clock, freeSpace, maxWaitingBytes, maxWaitingMs } = this.#options;
    if (freeSpace.low || this.#waitingBytes() >= maxWaitingBytes) return true;
    return this.#failure !== null && clock.monotonicMs() - this.#failure.sinceMs >= maxWaitingMs;
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#closed || this.#rounds !== null) return;
    if (this.#options.fsync === 'process') this.#writeWaiting();
    else this.#rounds = this.#writeRounds().then(this.#roundsEnded);
  };

  readonly #roundsEnded = (): void => {
    this.#rounds = null;
    this.#scheduleWaiting();
  };

  #scheduleWaiting(): void {
    if (this.#scheduled || this.#closed || this.#failure !== null || this.#rounds !== null) return;
    if (this.#pending.waitingEntries === 0) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  /** Policy `process`: everything that waited when the turn began, safe as soon as the kernel has it. */
  #writeWaiting(): void {
    const before = this.#safeEnd;
    // At most what is left of a failed batch, and the one that gathered behind it.
    for (let batches = 0; batches < 2 && this.#nextBatch(); batches++) {
      while (this.#writing.waitingEntries > 0) {
        const outcome = this.#appender.write(this.#writing);
        this.#nowSafe(outcome);
        if (outcome.error !== null) break;
      }
      if (this.#failure !== null) break;
    }
    this.#announce(before);
    this.#scheduleWaiting();
  }

  /** Policy `disk`: write, sync, report, and again while entries arrived meanwhile. Never rejects. */
  async #writeRounds(): Promise<void> {
    while (this.#nextBatch()) {
      const before = this.#safeEnd;
      const outcome = this.#appender.write(this.#writing);
      if (outcome.end > this.#writing.start) await this.#sync(outcome);
      this.#nowSafe(outcome);
      this.#announce(before);
      if (outcome.error !== null) break;
    }
  }

  async #sync(outcome: AppendOutcome): Promise<void> {
    try {
      await this.#appender.sync();
    } catch (error) {
      outcome.end = this.#writing.start;
      outcome.error = error as Error;
    }
  }

  /** @returns false when nothing waits */
  #nextBatch(): boolean {
    if (this.#writing.waitingEntries > 0) return true;
    this.#writing.clear();
    if (this.#pending.waitingEntries === 0) return false;
    [this.#writing, this.#pending] = [this.#pending, this.#writing];
    return true;
  }

  #nowSafe(outcome: AppendOutcome): void {
    if (outcome.end > this.#writing.start) {
      this.#safeEnd = this.#appender.end;
      this.#sizes.set(this.#safeEnd.segment, this.#safeEnd.offset);
    }
    if (outcome.error === null) this.#recover();
    else this.#fail(outcome.error);
    for (const onSafe of this.#writing.takeSafe(outcome.end)) this.#call(onSafe, null);
  }

  #announce(before: JournalPosition): void {
    if (this.#safeEnd === before) return;
    for (const listener of this.#listeners) {
      try {
        listener(this.#safeEnd);
      } catch (error) {
        this.#options.logger.error('a journal listener failed', { error });
      }
    }
  }

  #call(onSafe: OnSafe, error: Error | null): void {
    try {
      onSafe(error);
    } catch (thrown) {
      this.#options.logger.error('a journal callback failed', { error: thrown });
    }
  }

  #fail(error: Error): void {
    const { clock, logger } = this.#options;
    const code = String((error as NodeJS.ErrnoException).code ?? error.name);
    const previous = this.#failure;
    if (previous === null)
      logger.error('the journal cannot be written: entries wait', { reason: code, error });
    const retryMs = previous === null ? FIRST_RETRY_MS : Math.min(previous.retryMs * 2, LONGEST_RETRY_MS);
    clearTimeout(previous?.timer);
    const timer = setTimeout(this.#turn, retryMs).unref();
    this.#failure = { code, sinceMs: previous?.sinceMs ?? clock.monotonicMs(), retryMs, timer };
  }

  #recover(): void {
    if (this.#failure === null) return;
    this.#endFailure();
    this.#options.logger.info('the journal is written again');
  }

  #endFailure(): void {
    clearTimeout(this.#failure?.timer);
    this.#failure = null;
  }
}
