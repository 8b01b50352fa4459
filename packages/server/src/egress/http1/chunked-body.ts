import { checkTrailers } from './answer-head.ts';
import type { SectionReader } from './section-reader.ts';
import { malformed } from './upstream-error.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const LINE_END = Buffer.from('\r\n');
/** 2^52 bytes; a length that JavaScript counts exactly. */
const MAX_SIZE_DIGITS = 13;
/** Of one answer. Nobody uses them; without a bound they are bytes that cost and count nowhere. */
const MAX_EXTENSION_BYTES = 16 * 1024;
/** RFC 9112 §7.1.1, without the blanks that it calls bad. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]*"))?)+$/;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done';

/** The value of a hexadecimal digit, -1 for anything else. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Takes the chunked transfer coding off a body (RFC 9112 §7.1), however reads cut it. */
export class ChunkedBody {
  readonly #section: SectionReader;
  readonly #onData: (bytes: Buffer) => void;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #extension = '';
  #extensionBytes = 0;

  /** @param section reads the trailers, within what the head left of the bound */
  constructor(section: SectionReader, onData: (bytes: Buffer) => void) {
    this.#section = section;
    this.#onData = onData;
  }

  reset(): void {
    this.#state = 'size';
    this.#size = 0;
    this.#digits = 0;
    this.#extension = '';
    this.#extensionBytes = 0;
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#state = 'done';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes bytes from a place on, up to the end of the body or of the bytes. Data goes out as it lies in them.
   * @returns where it stopped
   * @throws UpstreamError
   */
  push(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') at = this.#takeData(bytes, at);
      else if (this.#state === 'trailers') at = this.#takeTrailers(bytes, at);
      else this.#takeByte(bytes[at++] ?? 0);
    }
    return at;
  }

  #takeByte(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#takeDigit(byte);
      case 'extension':
        return this.#takeExtension(byte);
      case 'size-lf':
        if (byte !== LF) malformed('a chunk size without its line end');
        return this.#begin();
      case 'data-cr':
        if (byte !== CR) malformed('a chunk that is longer than its size');
        this.#state = 'data-lf';
        return;
      default:
        if (byte !== LF) malformed('a chunk without its line end');
        this.#state = 'size';
    }
  }

  #takeDigit(byte: number): void {
    const digit = hexValue(byte);
    if (digit !== -1) {
      if (++this.#digits > MAX_SIZE_DIGITS) malformed('a chunk size that is too large');
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) malformed('a chunk without a size');
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === SEMICOLON) {
      this.#extension = ';';
      this.#state = 'extension';
    } else malformed('a chunk size that is no number');
  }

  #takeExtension(byte: number): void {
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) malformed('too many chunk extensions');
    if (byte !== CR) {
      this.#extension += String.fromCharCode(byte);
      return;
    }
    if (!EXTENSIONS.test(this.#extension)) malformed('a chunk extension that is none');
    this.#extension = '';
    this.#state = 'size-lf';
  }

  /** A size has been read whole: its data follow, or the end. */
  #begin(): void {
    this.#digits = 0;
    if (this.#size > 0) this.#state = 'data';
    else {
      // The section of trailers may be empty: with the line end before it, it ends like any other.
      this.#section.seed(LINE_END);
      this.#state = 'trailers';
    }
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#size);
    this.#size -= end - at;
    if (this.#size === 0) this.#state = 'data-cr';
    this.#onData(bytes.subarray(at, end));
    return end;
  }

  #takeTrailers(bytes: Buffer, at: number): number {
    const section = this.#section.take(bytes, at);
    if (section === null) return bytes.length;
    checkTrailers(section.text, LINE_END.length);
    this.#state = 'done';
    return section.next;
  }
}
