import { type AnswerHead, parseAnswerHead } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';
import { SectionReader } from './section-reader.ts';
import { malformed, UpstreamError } from './upstream-error.ts';

/** Who hears what an answer holds. */
export interface AnswerEvents {
  /** Once for each interim head (1xx), and once for the final one. */
  onHead(head: AnswerHead): void;
  /** Part of the bytes that were pushed, not a copy. */
  onBody(bytes: Buffer): void;
  /** @param reusable nothing in the answer speaks against another request on the connection */
  onEnd(reusable: boolean): void;
}

type State = 'idle' | 'head' | 'length' | 'chunked' | 'until-close';

const MAX_HEAD_BYTES = 64 * 1024;
const STARTS = Buffer.from('HTTP/1.');

/**
 * Reads answers off a connection, one at a time: bytes in, events out. Strict: what RFC 9112 does not allow is an error
 * and never a guess, for another reader of the same bytes might guess otherwise.
 */
export class AnswerParser {
  readonly #events: AnswerEvents;
  readonly #section = new SectionReader();
  readonly #chunked: ChunkedBody;
  #state: State = 'idle';
  #toHead = false;
  #leftBytes = 0;
  #reusable = false;

  constructor(events: AnswerEvents) {
    this.#events = events;
    this.#chunked = new ChunkedBody(this.#section, (bytes) => this.#events.onBody(bytes));
  }

  /** True while an answer is awaited or under way. */
  get expects(): boolean {
    return this.#state !== 'idle';
  }

  /** The next bytes are an answer. @param toHead to a HEAD request: it has no body, whatever its head says */
  begin(toHead: boolean): void {
    this.#state = 'head';
    this.#toHead = toHead;
    this.#reusable = true;
    this.#section.reset(MAX_HEAD_BYTES);
  }

  /** Nobody wants the rest: there are no more events. */
  stop(): void {
    this.#state = 'idle';
    this.#chunked.stop();
  }

  /**
   * Takes the bytes of one read. Those behind the end of the answer make the connection one that is not used again.
   * @throws UpstreamError when they are no answer
   */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== 'idle') at = this.#take(bytes, at);
  }

  /** The upstream has closed the connection in due form. @throws UpstreamError when the answer is not whole */
  finish(): void {
    if (this.#state === 'until-close') return this.#end(false);
    throw new UpstreamError('HTTP_CONNECTION_CLOSED', 'The upstream closed the connection.');
  }

  #take(bytes: Buffer, at: number): number {
    if (this.#state === 'head') return this.#takeHead(bytes, at);
    if (this.#state === 'chunked') return this.#takeChunked(bytes, at);
    if (this.#state === 'length') return this.#takeLength(bytes, at);
    this.#events.onBody(at === 0 ? bytes : bytes.subarray(at));
    return bytes.length;
  }

  #takeHead(bytes: Buffer, at: number): number {
    const section = this.#section.take(bytes, at);
    if (section === null) {
      // Something else than HTTP/1 may never send an empty line: it is known by its first bytes.
      const { begun } = this.#section;
      const known = Math.min(begun.length, STARTS.length);
      if (begun.compare(STARTS, 0, known, 0, known) !== 0) malformed('the first line is no status line');
      return bytes.length;
    }
    const head = parseAnswerHead(section.text);
    if (head.status === 101) malformed('a change of protocol that nobody asked for');
    if (!head.keepAlive) this.#reusable = false;
    const body = head.status < 200 ? 'head' : this.#bodyOf(head);
    this.#events.onHead(head);
    if (this.#state === 'idle') return section.next; // it was stopped
    this.#state = body;
    if (body === 'idle') this.#end(section.next === bytes.length);
    return section.next;
  }

  /** What follows the final head (RFC 9112 §6.3). */
  #bodyOf({ status, chunked, contentLength }: AnswerHead): State {
    const announced = chunked || (contentLength ?? 0) > 0;
    const bodiless = this.#toHead || status === 204 || status === 304;
    // A body that must not be there may come all the same, and would be taken for the next answer.
    if (bodiless && announced) this.#reusable = false;
    if (bodiless) return 'idle';
    if (chunked) {
      this.#chunked.reset();
      return 'chunked';
    }
    if (contentLength === null) return 'until-close';
    this.#leftBytes = contentLength;
    return contentLength === 0 ? 'idle' : 'length';
  }

  #takeLength(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#leftBytes);
    this.#leftBytes -= end - at;
    const whole = at === 0 && end === bytes.length;
    this.#events.onBody(whole ? bytes : bytes.subarray(at, end));
    if (this.#leftBytes === 0 && this.#state !== 'idle') this.#end(end === bytes.length);
    return end;
  }

  #takeChunked(bytes: Buffer, at: number): number {
    const end = this.#chunked.push(bytes, at);
    if (this.#chunked.done && this.#state !== 'idle') this.#end(end === bytes.length);
    return end;
  }

  #end(clean: boolean): void {
    this.#state = 'idle';
    this.#events.onEnd(clean && this.#reusable);
  }
}
