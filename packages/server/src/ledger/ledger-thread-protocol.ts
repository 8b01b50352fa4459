import type { JournalPosition } from '../journal/journal.ts';
import type { JournalDamage } from '../journal/read-journal.ts';
import type { CommitFailure } from './ledger-commit.ts';
import type { LedgerProgress } from './ledger-writer.ts';

/** What the thread is started with, as `workerData.ledger`. */
export interface LedgerThreadData {
  dir: string;
  /** The journal's id: what the checkpoint is filed under. */
  journalId: string;
  /** The first segment of this process. */
  bootSegment: number;
  /** End of the journal when the thread was started. */
  safeEnd: JournalPosition;
}

export type ToLedgerThread =
  | { type: 'advance'; safeEnd: JournalPosition }
  /** Commit everything up to here, close the store, end. */
  | { type: 'close'; safeEnd: JournalPosition };

export type FromLedgerThread =
  /** Recovery is done: everything of earlier processes is in the store. */
  | { type: 'ready'; rows: number; interrupted: number }
  | ({ type: 'committed' } & LedgerProgress)
  /** Whether other threads have kept the cores to themselves since it last said so. */
  | { type: 'starved'; starved: boolean }
  /** The store failed; the thread tries again by itself. */
  | ({ type: 'failed' } & CommitFailure)
  | ({ type: 'damage' } & { damage: JournalDamage })
  | { type: 'quarantined'; eventId: string | null; reason: string }
  | { type: 'closed' };
