import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { SEGMENT_HEADER_BYTES } from './frame.ts';
import { FreeSpace } from './free-space.ts';
import type { FsyncPolicy, JournalWriter } from './journal.ts';
import { type JournalFiles, systemJournalFiles } from './journal-files.ts';
import { journalId } from './journal-id.ts';
import { SegmentWriter } from './journal-writer.ts';
import { readJournal } from './read-journal.ts';
import { SegmentAppender } from './segment-appender.ts';
import { segmentNumbers, segmentPath } from './segment-files.ts';

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_WAITING_MS = 5000;

export interface JournalOptions {
  dir: string;
  fsync: FsyncPolicy;
  /** A segment ends before it would grow beyond this; a single larger entry still gets a segment. Default 64 MiB. */
  segmentBytes?: number;
  /** Bytes that may wait in memory while the disk takes nothing; beyond it new requests are refused. */
  maxWaitingBytes: number;
  /** New requests are refused once entries have waited this long. Default 5 seconds. */
  maxWaitingMs?: number;
  /** New requests are refused while less than this is free: the rest is for those under way, and the store. */
  reserveBytes: number;
  clock: Clock;
  logger: Logger;
  ids: IdSource;
  /** The file system; tests inject one that fails. */
  files?: JournalFiles;
}

export interface OpenJournal extends JournalWriter {
  /** Stays with the directory: what the ledger files its checkpoint under. */
  readonly id: string;
  /** The first segment of this process. What was opened in an older one and is not settled there never will be. */
  readonly bootSegment: number;
}

/**
 * Opens the journal for appending, in a new segment: an older one is never written again, so half an entry that
 * a dying process left at its end is out of the way. The caller holds the lock of the data directory.
 * @throws the system's error when the directory or the segment cannot be made
 * @throws Error when the newest segment has a format this program does not know
 */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { dir, clock, logger, reserveBytes } = options;
  const files = options.files ?? systemJournalFiles;
  files.makeDirectory(dir);
  const id = journalId(dir, options.ids);
  const older = usableSegments(dir, files);
  const newest = older.at(-1) ?? 0;
  const appender = new SegmentAppender(
    { dir, files, segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES },
    { segment: newest + 1, previousEnd: newest === 0 ? 0 : endOfEntries(dir, newest, logger) },
  );
  appender.open();
  const freeSpace = new FreeSpace({ dir, files, reserveBytes, logger });
  await freeSpace.start();
  const writer = new SegmentWriter({
    dir,
    fsync: options.fsync,
    maxWaitingBytes: options.maxWaitingBytes,
    maxWaitingMs: options.maxWaitingMs ?? DEFAULT_MAX_WAITING_MS,
    clock,
    logger,
    files,
    appender,
    freeSpace,
    olderSegments: new Map(older.map((segment) => [segment, files.size(segmentPath(dir, segment))])),
  });
  return Object.assign(writer, { id, bootSegment: newest + 1 });
}

/** Segments on disk. One that its process died in before the header was written holds nothing and is removed. */
function usableSegments(dir: string, files: JournalFiles): number[] {
  const segments = segmentNumbers(files.list(dir));
  for (let newest = segments.at(-1); newest !== undefined; newest = segments.at(-1)) {
    const path = segmentPath(dir, newest);
    if (files.size(path) >= SEGMENT_HEADER_BYTES) break;
    files.remove(path);
    segments.pop();
  }
  return segments;
}

/** Where the last intact entry of the newest segment ends: the new segment's header records it. */
function endOfEntries(dir: string, segment: number, logger: Logger): number {
  let end = SEGMENT_HEADER_BYTES;
  const entries = readJournal(
    dir,
    { segment, offset: 0 },
    {
      onDamage: ({ kind, at, lostBytes }) =>
        logger.warn('the newest journal segment has unreadable bytes', {
          reason: kind,
          segment,
          offset: at.offset,
          bytes: lostBytes ?? 0,
        }),
    },
  );
  for (const entry of entries) end = entry.end.offset;
  return end;
}
