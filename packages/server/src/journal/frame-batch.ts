import { FRAME_HEAD_BYTES, sealFrame } from './frame.ts';
import type { EntryType } from './journal.ts';

export type OnSafe = (error: Error | null) => void;

const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this while entries had to wait is given back. */
const KEPT_BYTES = 1024 * 1024;

/** Entries on their way to the disk, encoded back to back in one buffer so that one write takes them all. */
export class FrameBatch {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #used = 0;
  #ends: number[] = [];
  #onSafe: OnSafe[] = [];
  /** Entries already safe and reported. */
  #safe = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Entries not yet safe. */
  get waitingEntries(): number {
    return this.#ends.length - this.#safe;
  }

  get waitingBytes(): number {
    return this.#used - this.start;
  }

  /** Where the first entry that is not yet safe starts in `bytes`. */
  get start(): number {
    return this.#safe === 0 ? 0 : (this.#ends[this.#safe - 1] ?? 0);
  }

  add(type: EntryType, payload: string, onSafe: OnSafe): void {
    const at = this.#used;
    // UTF-8 needs at most three bytes for each UTF-16 unit; exact counting would read the text twice.
    this.#reserve(at + FRAME_HEAD_BYTES + payload.length * 3);
    const length = this.#bytes.write(payload, at + FRAME_HEAD_BYTES, 'utf8');
    this.#bytes.writeUInt32BE(length, at);
    this.#bytes[at + 8] = type;
    this.#used = at + FRAME_HEAD_BYTES + length;
    this.#ends.push(this.#used);
    this.#onSafe.push(onSafe);
  }

  /**
   * Seals the waiting entries that fit `room` bytes for being written at this place; at least one when
   * `atLeastOne`. @returns where they end in `bytes`, equal to `start` when none fits
   */
  seal(place: { segment: number; offset: number }, room: number, atLeastOne: boolean): number {
    const start = this.start;
    let at = start;
    for (let index = this.#safe; index < this.#ends.length; index++) {
      const end = this.#ends[index] ?? at;
      if (end - start > room && !(atLeastOne && index === this.#safe)) break;
      sealFrame(this.#bytes, { segment: place.segment, offset: place.offset + at - start, at });
      at = end;
    }
    return at;
  }

  /** Where the last whole entry at or before `written` ends in `bytes`. */
  wholeEntriesUpTo(written: number): number {
    let end = this.start;
    for (let index = this.#safe; index < this.#ends.length; index++) {
      const next = this.#ends[index] ?? 0;
      if (next > written) break;
      end = next;
    }
    return end;
  }

  /** Marks entries up to `end` as safe. @returns what to call for them, in append order */
  takeSafe(end: number): OnSafe[] {
    const from = this.#safe;
    while (this.#safe < this.#ends.length && (this.#ends[this.#safe] ?? 0) <= end) this.#safe++;
    return this.#onSafe.slice(from, this.#safe);
  }

  /** Empties the batch. @returns what to call for the entries that never became safe */
  clear(): OnSafe[] {
    const unsafe = this.#onSafe.slice(this.#safe);
    this.#used = 0;
    this.#safe = 0;
    this.#ends = [];
    this.#onSafe = [];
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return unsafe;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(size, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}
