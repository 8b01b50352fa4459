/** Where an entry ends: the next one starts here. */
export interface JournalPosition {
  segment: number;
  offset: number;
}

/**
 * `process`: an entry is safe once the kernel has it (survives `kill -9` of the process).
 * `disk`: an entry is safe once the disk has it (survives loss of power), by group commit.
 */
export type FsyncPolicy = 'process' | 'disk';

export const ENTRY_OPENED = 1;
export const ENTRY_SETTLED = 2;
export type EntryType = typeof ENTRY_OPENED | typeof ENTRY_SETTLED;

export interface JournalEntry {
  type: EntryType;
  payload: Buffer;
  /** Where the entry starts. */
  start: JournalPosition;
  /** Where the next one starts. */
  end: JournalPosition;
}

export interface JournalStatus {
  /** `ok`; `degraded` while writes fail and entries wait in memory; `full` when the bound is reached and requests are refused. */
  state: 'ok' | 'degraded' | 'full';
  /** Why it is not `ok`: `low_space` (less than the reserve is free), or the code of the failed operation such as `ENOSPC`. */
  problem: string | null;
  /** End of the last safe entry. */
  safeEnd: JournalPosition;
  bytesOnDisk: number;
  waitingEntries: number;
}

/** Append side, owned by the main thread. Entries appended in one turn of the event loop share one write. */
export interface JournalWriter {
  /**
   * Appends an entry; `onSafe(null)` is called once it is safe under the fsync policy, in append order,
   * never synchronously. `onSafe(error)` means the entry was not stored and never will be.
   */
  append(type: EntryType, payload: string, onSafe: (error: Error | null) => void): void;
  /** False when `append` would fail: refuse the request with `journal_unavailable` before dispatching it. */
  accepting(): boolean;
  status(): JournalStatus;
  /** Called after each safe write with the new end, at most once a turn: the signal for the ledger to read on. */
  onAdvance(listener: (safeEnd: JournalPosition) => void): void;
  /** Deletes whole segments below this one. */
  releaseBelow(segment: number): Promise<void>;
  /** Writes what waits, closes the files. */
  close(): Promise<void>;
}
