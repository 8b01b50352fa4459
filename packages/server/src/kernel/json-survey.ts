const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/** What finding the end of a string costs beside looking at a byte. */
const STRING_WORK = 32;
/** Searching a string is that much faster than looking at each byte. */
const SEARCHED_AT_ONCE = 16;
/** FNV-1a, 32 bits: two names with one hash count once, which spares a few of fifty thousand. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export interface JsonBounds {
  maxValues: number;
  /** Different names of members: a parser makes an entry in its tables for each. */
  maxNames: number;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Counts what a JSON text would become, in small steps and without making any of it: a text of 32 MB can be a string or
 * eleven million objects, and the parser, which cannot be interrupted, takes a hundred times as long for the latter. What
 * is no JSON is counted somehow; the parser finds it out.
 */
export class JsonSurvey {
  readonly #bytes: Buffer;
  readonly #bounds: JsonBounds;
  readonly #names = new Set<number>();
  #values = 0;
  #at = 0;
  /** Where the string began that is being read; -1 outside of one. */
  #string = -1;

  constructor(bytes: Buffer, bounds: JsonBounds) {
    this.#bytes = bytes;
    this.#bounds = bounds;
  }

  /** Goes on for about as long as so many bytes take. Null while there is more; then whether the text is within bounds. */
  step(work: number): boolean | null {
    const bytes = this.#bytes;
    let left = work;
    while (left > 0 && this.#at < bytes.length) {
      const from = this.#at;
      if (this.#string === -1) {
        this.#structure(Math.min(bytes.length, from + left));
        left -= this.#at - from;
      } else {
        this.#stringEnd();
        left -= STRING_WORK + Math.ceil((this.#at - from) / SEARCHED_AT_ONCE);
      }
      if (this.#values > this.#bounds.maxValues || this.#names.size > this.#bounds.maxNames) return false;
    }
    return this.#at < bytes.length ? null : true;
  }

  /** Looks at the bytes outside of strings, up to the next one. */
  #structure(end: number): void {
    const bytes = this.#bytes;
    for (let at = this.#at; at < end; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#string = at;
        this.#at = at + 1;
        return;
      }
      if (byte === COMMA) this.#values += 1;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#values += 2; // itself, and what is first in it
    }
    this.#at = end;
  }

  /** Goes to the next quotation mark; one that is not escaped ends the string. */
  #stringEnd(): void {
    const bytes = this.#bytes;
    const quote = bytes.indexOf(QUOTE, this.#at);
    if (quote === -1) {
      this.#at = bytes.length;
      return;
    }
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    this.#at = quote + 1;
    if (backslashes % 2 === 1) return;
    let next = quote + 1;
    while (isSpace(bytes[next])) next += 1;
    if (bytes[next] === COLON) this.#names.add(this.#hash(this.#string + 1, quote));
    this.#string = -1;
  }

  #hash(start: number, end: number): number {
    let hash = FNV_OFFSET;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (this.#bytes[at] ?? 0), FNV_PRIME);
    return hash;
  }
}
