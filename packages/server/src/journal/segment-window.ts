import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Some hundred entries. V8 counts it against the heap of the ledger's thread: at a megabyte each, full collections came six times as often and more. */
const CHUNK_BYTES = 256 * 1024;

/** A segment file read through a moving window. Every refill is a new buffer, so that slices handed out stay valid. */
export class SegmentWindow {
  readonly #file: number;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  #chunk: Buffer = Buffer.alloc(0);
  #base = 0;
  #limit: number;
  readonly #chunkBytes: number;

  /**
   * @param chunkBytes how much to read at once
   * @throws the system's error, such as `ENOENT`
   */
  constructor(path: string, chunkBytes = CHUNK_BYTES) {
    this.#chunkBytes = chunkBytes;
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
    this.#limit = this.size;
  }

  /** Reads never go beyond this offset, nor beyond the end of the file. */
  limitTo(offset: number): void {
    this.#limit = Math.min(offset, this.size);
  }

  get limit(): number {
    return this.#limit;
  }

  /** The buffer that the last `locate` filled. */
  get bytes(): Buffer {
    return this.#chunk;
  }

  /** Index in `bytes` of `offset`, with `length` bytes there; -1 when they lie beyond the limit. */
  locate(offset: number, length: number): number {
    if (offset + length > this.#limit) return -1;
    const at = offset - this.#base;
    if (at >= 0 && at + length <= this.#chunk.length) return at;
    this.#fill(offset, Math.max(length, Math.min(this.#chunkBytes, this.#limit - offset)));
    return this.#chunk.length >= length ? 0 : -1;
  }

  close(): void {
    closeSync(this.#file);
  }

  #fill(offset: number, length: number): void {
    const chunk = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#file, chunk, filled, length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    this.#chunk = chunk.subarray(0, filled);
    this.#base = offset;
  }
}
