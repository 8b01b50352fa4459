import type { JournalPosition } from './journal.ts';

/** Before every entry of every segment: segments count from 1. */
export const JOURNAL_START: JournalPosition = { segment: 0, offset: 0 };

/** Negative when `a` is before `b`, zero when equal, positive when after. */
export function comparePositions(a: JournalPosition, b: JournalPosition): number {
  return a.segment - b.segment || a.offset - b.offset;
}
