import { existsSync, readdirSync } from 'node:fs';
import {
  decodeSegmentHeader,
  FRAME_HEAD_BYTES,
  frameType,
  intactFrame,
  plausibleHead,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './frame.ts';
import type { JournalEntry, JournalPosition } from './journal.ts';
import { comparePositions } from './position.ts';
import { segmentNumbers, segmentPath } from './segment-files.ts';
import { SegmentWindow } from './segment-window.ts';

/** Read at once for a single entry; a larger one takes a second read. */
const ENTRY_GUESS_BYTES = 4096;

/**
 * Bytes that hold no readable entry. `torn_tail`: the end of the newest segment, where a dying process left half
 * an entry that nobody was told is safe; expected after a crash. `corrupt`: entries may have been lost; reading
 * goes on at `resumedAt`. `missing_segment`: a whole file is gone.
 */
export interface JournalDamage {
  kind: 'torn_tail' | 'corrupt' | 'missing_segment';
  at: JournalPosition;
  resumedAt: JournalPosition;
  /** Null when unknown. */
  lostBytes: number | null;
}

export interface ReadOptions {
  /** Where to stop: a position that the writer announced as safe. Without it, everything on disk is read. */
  to?: JournalPosition;
  /** Hears of every byte that was skipped. */
  onDamage(damage: JournalDamage): void;
}

interface Context {
  dir: string;
  options: ReadOptions;
}

/**
 * Reads entries in order. Damage is reported, never passed over in silence, and never ends the reading while
 * good entries follow. `payload` is a slice of a large buffer: copy it to keep it.
 * @param from the start of an entry, an `end` read earlier, or `JOURNAL_START`
 * @returns (as the generator's return value) where to read on
 * @throws Error when a segment has a format this program does not know
 */
export function* readJournal(
  dir: string,
  from: JournalPosition,
  options: ReadOptions,
): Generator<JournalEntry, JournalPosition> {
  const { to } = options;
  const context = { dir, options };
  if (to !== undefined && comparePositions(from, to) >= 0) return from;
  const segments = segmentsBetween(dir, from, to);
  let position = from;
  for (const [index, segment] of segments.entries()) {
    if (position.segment !== 0) reportMissing(position, segment, options);
    const offset = segment === position.segment ? position.offset : 0;
    const isNewest = index === segments.length - 1;
    const end = yield* readSegment(context, { segment, offset }, isNewest);
    position = isNewest ? { segment, offset: end } : { segment: segment + 1, offset: 0 };
  }
  if (to !== undefined && comparePositions(position, to) < 0) {
    reportMissing(position, to.segment + 1, options);
    return to;
  }
  return position;
}

/**
 * Reads the one entry that starts at this position.
 * @returns null when there is no intact entry
 */
export function readEntryAt(dir: string, start: JournalPosition): JournalEntry | null {
  const window = new SegmentWindow(segmentPath(dir, start.segment), ENTRY_GUESS_BYTES);
  try {
    return entryAt(window, start.segment, start.offset);
  } finally {
    window.close();
  }
}

function segmentsBetween(dir: string, from: JournalPosition, to: JournalPosition | undefined): number[] {
  // The tail is read many times a second and mostly lies in one segment: no listing then.
  if (to?.segment === from.segment) return existsSync(segmentPath(dir, to.segment)) ? [to.segment] : [];
  return segmentNumbers(readdirSync(dir)).filter((n) => n >= from.segment && n <= (to?.segment ?? n));
}

function reportMissing(position: JournalPosition, found: number, options: ReadOptions): void {
  if (found <= position.segment) return;
  options.onDamage({
    kind: 'missing_segment',
    at: position,
    resumedAt: { segment: found, offset: 0 },
    lostBytes: null,
  });
}

/** Where the segment ends by what came after it, or null when only the file's size tells. */
function sealedEnd(context: Context, segment: number, isNewest: boolean): number | null {
  const { to } = context.options;
  if (to?.segment === segment) return to.offset;
  if (isNewest) return null;
  return readHeader(context.dir, segment + 1)?.previousEnd ?? null;
}

function readHeader(dir: string, segment: number): SegmentHeader | null {
  let window: SegmentWindow;
  try {
    window = new SegmentWindow(segmentPath(dir, segment));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return headerOf(window, segment);
  } finally {
    window.close();
  }
}

function headerOf(window: SegmentWindow, segment: number): SegmentHeader | null {
  const at = window.locate(0, SEGMENT_HEADER_BYTES);
  const header = at < 0 ? null : decodeSegmentHeader(window.bytes.subarray(at, at + SEGMENT_HEADER_BYTES));
  return header?.segment === segment ? header : null;
}

/** @returns where the next read starts */
function* readSegment(
  context: Context,
  from: JournalPosition,
  isNewest: boolean,
): Generator<JournalEntry, number> {
  const { segment } = from;
  const sealed = sealedEnd(context, segment, isNewest);
  const window = new SegmentWindow(segmentPath(context.dir, segment));
  try {
    if (sealed !== null) window.limitTo(sealed);
    const report = (at: number, resumedAt: number, kind: JournalDamage['kind']) =>
      context.options.onDamage({
        kind,
        at: { segment, offset: at },
        resumedAt: { segment, offset: resumedAt },
        lostBytes: resumedAt - at,
      });
    // What lies behind an unreadable end of an unsealed segment was never announced as safe.
    const tailKind = sealed === null && isNewest ? 'torn_tail' : 'corrupt';
    let offset = from.offset;
    if (offset < SEGMENT_HEADER_BYTES) {
      offset = Math.min(SEGMENT_HEADER_BYTES, window.limit);
      if (window.limit > 0 && headerOf(window, segment) === null) {
        report(0, offset, window.size < SEGMENT_HEADER_BYTES ? tailKind : 'corrupt');
      }
    }
    offset = yield* readFrames(window, { segment, offset }, (at, resumedAt) =>
      report(at, resumedAt, resumedAt === window.limit ? tailKind : 'corrupt'),
    );
    if (sealed === null || sealed <= offset) return offset;
    report(offset, sealed, 'corrupt');
    return sealed;
  } finally {
    window.close();
  }
}

function* readFrames(
  window: SegmentWindow,
  from: JournalPosition,
  onDamage: (at: number, resumedAt: number) => void,
): Generator<JournalEntry, number> {
  const { segment } = from;
  let { offset } = from;
  while (offset < window.limit) {
    const entry = entryAt(window, segment, offset);
    if (entry === null) {
      const resumedAt = nextEntry(window, segment, offset + 1);
      onDamage(offset, resumedAt);
      offset = resumedAt;
    } else {
      offset = entry.end.offset;
      yield entry;
    }
  }
  return offset;
}

function entryAt(window: SegmentWindow, segment: number, offset: number): JournalEntry | null {
  const head = window.locate(offset, FRAME_HEAD_BYTES);
  if (head < 0 || !plausibleHead(window.bytes, head)) return null;
  const size = FRAME_HEAD_BYTES + window.bytes.readUInt32BE(head);
  const at = window.locate(offset, size);
  if (at < 0) return null;
  const { bytes } = window;
  if (!intactFrame(bytes, { segment, offset, at })) return null;
  return {
    type: frameType(bytes, at),
    payload: bytes.subarray(at + FRAME_HEAD_BYTES, at + size),
    start: { segment, offset },
    end: { segment, offset: offset + size },
  };
}

/** Offset of the next intact entry at or after `offset`, or the limit when there is none. */
function nextEntry(window: SegmentWindow, segment: number, offset: number): number {
  for (let at = offset; at + FRAME_HEAD_BYTES <= window.limit; at++) {
    if (entryAt(window, segment, at) !== null) return at;
  }
  return window.limit;
}
