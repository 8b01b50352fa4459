import { CarryBuffer } from '../../providers/shared/carry-buffer.ts';
import { eventEnd, parseEvent } from '../../providers/shared/sse-split.ts';
import type { AnswerEvent } from '../../translate/hub/answer.ts';
import type { StreamReader, StreamWriter } from '../../translate/hub/format.ts';
import type { AnswerTransform } from '../answer-transform.ts';
import type { Translation } from './translation.ts';

const NOTHING = Buffer.alloc(0);
/** A whole answer or an event larger than this is not one that a translator takes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
/** What is kept of an error's body. */
const MAX_ERROR_BYTES = 256 * 1024;

/** An answer that is not what its format allows. */
class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** Cuts bytes into events, however they arrive, and hands each to a reader of the upstream's format. */
class EventSplitter {
  readonly #carry = new CarryBuffer();
  readonly #reader: StreamReader;

  constructor(reader: StreamReader) {
    this.#reader = reader;
  }

  push(chunk: Buffer): AnswerEvent[] {
    this.#carry.append(chunk);
    if (this.#carry.length > MAX_EVENT_BYTES) throw new UnreadableAnswer('an event is too large');
    if (!chunk.includes(0x0a) && !chunk.includes(0x0d)) return [];
    return this.#take(this.#carry.view());
  }

  /** The bytes ended; an event without its blank line counts, as servers leave it out at the end. */
  end(): AnswerEvent[] {
    const rest = this.#carry.view().toString('utf8');
    this.#carry.reset();
    return [...(rest.trim() === '' ? [] : this.#event(rest)), ...this.#reader.end()];
  }

  #take(bytes: Buffer): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    let start = 0;
    for (let end = eventEnd(bytes, 0); end !== -1; end = eventEnd(bytes, start)) {
      events.push(...this.#event(bytes.toString('utf8', start, end)));
      start = end;
    }
    if (start === 0) return events;
    const rest = Buffer.from(bytes.subarray(start));
    this.#carry.reset();
    this.#carry.append(rest);
    return events;
  }

  /** A comment is a sign of life: clients of every format get one. */
  #event(text: string): AnswerEvent[] {
    const { name, data } = parseEvent(text);
    if (name === null && data === '') return text.startsWith(':') ? [{ type: 'ping' }] : [];
    return this.#reader.read(name, data);
  }
}

/** A stream of events from one format to another, event by event. */
class StreamTranslation implements AnswerTransform {
  readonly whole = false;
  readonly #splitter: EventSplitter;
  readonly #writer: StreamWriter;
  readonly #lost = new Set<string>();

  constructor({ client, upstream, context }: Translation) {
    this.#splitter = new EventSplitter(upstream.createReader());
    this.#writer = client.createWriter(context);
  }

  push(chunk: Buffer): Buffer {
    return this.#write(this.#splitter.push(chunk));
  }

  end(): Buffer {
    return this.#write(this.#splitter.end());
  }

  received(): readonly Buffer[] {
    return [];
  }

  losses(): Iterable<string> {
    return this.#lost;
  }

  #write(events: readonly AnswerEvent[]): Buffer {
    let text = '';
    for (const event of events)
      if (event.type !== 'loss' || this.#isNew(event.name)) text += this.#writer.write(event);
    return text === '' ? NOTHING : Buffer.from(text);
  }

  /** The head is gone by now: the stream says itself what is missing, once. */
  #isNew(name: string): boolean {
    const isNew = !this.#lost.has(name);
    this.#lost.add(name);
    return isNew;
  }
}

/** An answer that is read to its end before the client gets it. */
class WholeTranslation implements AnswerTransform {
  readonly whole = true;
  readonly #translation: Translation;
  readonly #splitter: EventSplitter | null;
  readonly #events: AnswerEvent[] = [];
  readonly #lost = new Set<string>();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(translation: Translation, sse: boolean) {
    this.#translation = translation;
    this.#splitter = sse ? new EventSplitter(translation.upstream.createReader()) : null;
  }

  push(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) throw new UnreadableAnswer('the answer is too large');
    if (this.#splitter === null) this.#chunks.push(chunk);
    else this.#events.push(...this.#splitter.push(chunk));
    return NOTHING;
  }

  end(): Buffer {
    const { client, context, stream } = this.#translation;
    const events = this.#splitter === null ? this.#readBody() : [...this.#events, ...this.#splitter.end()];
    for (const event of events) {
      if (event.type === 'loss') this.#lost.add(event.name);
      if (event.type === 'error') throw new UnreadableAnswer(event.error.message);
    }
    if (!stream) return Buffer.from(JSON.stringify(client.writeAnswer(events, context)));
    const writer = client.createWriter(context);
    return Buffer.from(events.map((event) => writer.write(event)).join(''));
  }

  received(): readonly Buffer[] {
    return this.#chunks;
  }

  losses(): Iterable<string> {
    return this.#lost;
  }

  #readBody(): AnswerEvent[] {
    try {
      return this.#translation.upstream.readAnswer(JSON.parse(Buffer.concat(this.#chunks).toString('utf8')));
    } catch (error) {
      throw new UnreadableAnswer('the answer is not JSON', { cause: error });
    }
  }
}

/** A refusal of the upstream's, told in the client's format. */
class ErrorTranslation implements AnswerTransform {
  readonly whole = true;
  readonly #translation: Translation;
  readonly #status: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(translation: Translation, status: number) {
    this.#translation = translation;
    this.#status = status;
  }

  push(chunk: Buffer): Buffer {
    if (this.#bytes < MAX_ERROR_BYTES) this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return NOTHING;
  }

  end(): Buffer {
    const { client, context } = this.#translation;
    const error = { status: this.#status, message: this.#message() };
    return Buffer.from(JSON.stringify(client.writeError(error, context.requestId)));
  }

  received(): readonly Buffer[] {
    return this.#chunks;
  }

  losses(): Iterable<string> {
    return [];
  }

  #message(): string {
    const fallback = `The upstream answered with status ${this.#status}.`;
    try {
      return (
        this.#translation.upstream.readError(JSON.parse(Buffer.concat(this.#chunks).toString('utf8'))) ??
        fallback
      );
    } catch {
      return fallback;
    }
  }
}

/** The way back of a translated call: what changes the upstream's bytes into the client's. */
export function translateAnswer(
  translation: Translation,
  { status, sse }: { status: number; sse: boolean },
): AnswerTransform {
  if (status >= 400) return new ErrorTranslation(translation, status);
  return sse && translation.stream
    ? new StreamTranslation(translation)
    : new WholeTranslation(translation, sse);
}
