import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './frame.ts';
import type { FrameBatch } from './frame-batch.ts';
import type { JournalPosition } from './journal.ts';
import type { JournalFiles } from './journal-files.ts';
import { segmentPath } from './segment-files.ts';

export interface AppendOutcome {
  /** Where the entries now in the file end in the batch. */
  end: number;
  /** Why no more of them are. */
  error: Error | null;
}

/**
 * The newest segment. After any failure it is never written again: what the failed write or sync left behind
 * stays after the end that the next segment's header records, where no reader looks.
 */
export class SegmentAppender {
  readonly #dir: string;
  readonly #files: JournalFiles;
  readonly #segmentBytes: number;
  #file: number | null = null;
  #segment: number;
  #previousEnd: number;
  #offset = 0;
  #unsyncedFrom = 0;
  #broken = false;
  #directoryDirty = true;

  /** @param first the segment to create first, and where the one before it ends */
  constructor(
    place: { dir: string; files: JournalFiles; segmentBytes: number },
    first: { segment: number; previousEnd: number },
  ) {
    this.#dir = place.dir;
    this.#files = place.files;
    this.#segmentBytes = place.segmentBytes;
    this.#segment = first.segment;
    this.#previousEnd = first.previousEnd;
  }

  /** End of the last entry in the file. */
  get end(): JournalPosition {
    return { segment: this.#segment, offset: Math.max(this.#offset, SEGMENT_HEADER_BYTES) };
  }

  /** Creates the first segment. @throws the system's error */
  open(): void {
    this.#create();
  }

  /** Writes as many waiting entries as the segment has room for, going on to a new segment when it has none. */
  write(batch: FrameBatch): AppendOutcome {
    const start = batch.start;
    let written = start;
    try {
      const end = this.#seal(batch);
      while (written < end) {
        const position = this.#offset + written - start;
        written += this.#put(batch.bytes, { start: written, length: end - written, position });
      }
      this.#unsyncedFrom = this.#offset;
      this.#offset += end - start;
      return { end, error: null };
    } catch (error) {
      this.#broken = true;
      const end = batch.wholeEntriesUpTo(written);
      this.#unsyncedFrom = this.#offset;
      this.#offset += end - start;
      return { end, error: error as Error };
    }
  }

  /** Makes what the last `write` wrote durable. On failure it counts as not written: see fsync(2) on errors. */
  async sync(): Promise<void> {
    try {
      if (this.#file !== null) await this.#files.dataSync(this.#file);
      if (this.#directoryDirty) await this.#files.syncDirectory(this.#dir);
      this.#directoryDirty = false;
    } catch (error) {
      this.#broken = true;
      this.#offset = this.#unsyncedFrom;
      throw error;
    }
  }

  close(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== null) this.#files.close(file);
  }

  /** @returns where the entries that fit the segment end in the batch, sealed for their places */
  #seal(batch: FrameBatch): number {
    if (this.#broken || this.#file === null) this.#rotate();
    let end = this.#sealHere(batch);
    if (end === batch.start) {
      this.#rotate();
      end = this.#sealHere(batch);
    }
    return end;
  }

  #sealHere(batch: FrameBatch): number {
    const isEmpty = this.#offset === SEGMENT_HEADER_BYTES;
    const room = this.#segmentBytes - this.#offset;
    return batch.seal({ segment: this.#segment, offset: this.#offset }, room, isEmpty);
  }

  #rotate(): void {
    this.#retire();
    this.#create();
  }

  /** Leaves the current file. One without entries is removed and its number used again, so that none pile up. */
  #retire(): void {
    if (this.#file === null) return;
    const end = this.#offset;
    this.#offset = 0;
    try {
      this.close();
    } catch {
      // The entries in it are in the kernel or on the disk already.
    }
    if (end <= SEGMENT_HEADER_BYTES && this.#removed()) return;
    this.#previousEnd = end;
    this.#segment += 1;
  }

  #create(): void {
    const path = segmentPath(this.#dir, this.#segment);
    const file = this.#files.create(path);
    this.#file = file;
    this.#offset = 0;
    this.#broken = true;
    this.#directoryDirty = true;
    const header = encodeSegmentHeader({ segment: this.#segment, previousEnd: this.#previousEnd });
    let position = 0;
    while (position < header.length) {
      position += this.#put(header, { start: position, length: header.length - position, position });
    }
    this.#offset = header.length;
    this.#broken = false;
  }

  #put(bytes: Buffer, range: { start: number; length: number; position: number }): number {
    const count = this.#files.write(this.#file ?? -1, bytes, range);
    if (count <= 0) throw Object.assign(new Error('the file system took no bytes'), { code: 'ENOSPC' });
    return count;
  }

  #removed(): boolean {
    try {
      this.#files.remove(segmentPath(this.#dir, this.#segment));
      return true;
    } catch {
      return false;
    }
  }
}
