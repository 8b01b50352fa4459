import { UpstreamError } from './upstream-error.ts';

const SECTION_END = Buffer.from('\r\n\r\n');
const FIRST_CAPACITY_BYTES = 2048;
const EMPTY = Buffer.alloc(0);

/** Lines up to an empty one, and where in the bytes that were read what follows begins. */
export interface Section {
  /** Each line with its CRLF, without the empty one; one character a byte. */
  text: string;
  next: number;
}

/**
 * Collects the lines of a head however reads cut it. Each byte is copied and searched a bounded number of times: an
 * upstream that sends byte by byte costs no more than its bytes.
 */
export class SectionReader {
  #kept = EMPTY;
  #length = 0;
  /** Bytes that heads and trailers of one answer may still have. */
  #leftBytes = 0;

  /** A new answer, whose heads and trailers have so many bytes together. */
  reset(maxBytes: number): void {
    this.#leftBytes = maxBytes;
    this.#length = 0;
    this.#kept = EMPTY;
  }

  /** What has come of a section that is not whole. */
  get begun(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  /** Makes these bytes the beginning of the next section, before any are read. */
  seed(bytes: Buffer): void {
    this.#keep(bytes);
  }

  /**
   * Takes bytes from a place on. @returns null when the section goes on in the next read
   * @throws UpstreamError when it is too long
   */
  take(bytes: Buffer, at: number): Section | null {
    const before = this.#length;
    const whole = before === 0 ? bytes.indexOf(SECTION_END, at) : -1;
    if (whole !== -1) {
      this.#spend(whole + SECTION_END.length - at);
      return { text: bytes.toString('latin1', at, whole + 2), next: whole + SECTION_END.length };
    }
    const room = this.#leftBytes - before;
    this.#keep(bytes.subarray(at, at + room));
    const end = this.begun.indexOf(SECTION_END, Math.max(0, before - SECTION_END.length + 1));
    if (end === -1) {
      if (bytes.length - at > room) tooLarge();
      return null;
    }
    this.#spend(end + SECTION_END.length);
    const text = this.#kept.toString('latin1', 0, end + 2);
    this.#length = 0;
    this.#kept = EMPTY;
    return { text, next: at + end + SECTION_END.length - before };
  }

  #spend(bytes: number): void {
    this.#leftBytes -= bytes;
    if (this.#leftBytes < 0) tooLarge();
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY_BYTES, this.#kept.length * 2, length));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#length);
    this.#length = length;
  }
}

function tooLarge(): never {
  throw new UpstreamError('HTTP_HEAD_TOO_LARGE', 'The head of the upstream’s answer is too large.');
}
