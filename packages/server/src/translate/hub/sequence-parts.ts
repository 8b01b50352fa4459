import type { AnswerEvent, PartKind } from './answer.ts';
import type { Opaque } from './parts.ts';

/** Parts one after the other, each opened, filled and closed before the next. */
export type SequencedEvent =
  | { type: 'open'; kind: Exclude<PartKind, 'call'> }
  | { type: 'open'; kind: 'call'; id: string; name: string }
  | { type: 'fill'; kind: PartKind; text: string }
  | { type: 'close'; kind: PartKind; text: string; opaque: Opaque | null };

interface Part {
  number: number;
  kind: PartKind;
  id: string;
  name: string;
  text: string;
  opaque: Opaque | null;
  opened: boolean;
  /** What was not given out yet: the whole text grows without ever being read until the end. */
  pending: string;
}

type PartEvent = Extract<AnswerEvent, { part: number }>;

function kindOf(event: PartEvent): PartKind {
  if (event.type === 'call' || event.type === 'arguments') return 'call';
  return event.type === 'opaque' ? 'thinking' : event.type;
}

const textOf = (event: PartEvent): string =>
  event.type === 'arguments' ? event.json : 'text' in event ? event.text : '';

/** Whether a call has all of its arguments: another may then begin. Looked at only after what may end an object. */
function isWhole({ kind, text }: Part, lastPiece: string): boolean {
  if (kind !== 'call') return true;
  if (!/\}\s*$/.test(lastPiece)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Parts are kept whole until they end: an upstream that never stops may not take all memory. */
const MAX_ANSWER_CHARS = 32 * 1024 * 1024;

/**
 * Puts pieces that came mixed into order for formats in which a part ends before the next begins. A part that
 * begins while a call still lacks arguments waits until that call is whole; nothing is lost, and nothing waits in
 * the usual case that calls come one after the other.
 */
export class PartSequence {
  #chars = 0;
  #open: Part | null = null;
  #waiting: Part[] = [];
  /** Of the open part. */
  #lastPiece = '';

  /** @throws RangeError for an answer that is larger than any model gives */
  push(event: PartEvent): SequencedEvent[] {
    this.#chars += textOf(event).length;
    if (this.#chars > MAX_ANSWER_CHARS) throw new RangeError('the answer is too large');
    const open = this.#open;
    if (open?.number === event.part) return this.#fill(open, event);
    const waiting = this.#waiting.find(({ number }) => number === event.part);
    if (waiting !== undefined) {
      add(waiting, event);
      return this.#advance();
    }
    const part: Part = {
      number: event.part,
      kind: kindOf(event),
      id: event.type === 'call' ? event.id : '',
      name: event.type === 'call' ? event.name : '',
      text: '',
      opaque: null,
      opened: false,
      pending: '',
    };
    add(part, event);
    this.#waiting.push(part);
    return this.#advance();
  }

  /** No more pieces come: whatever waits is given out. */
  finish(): SequencedEvent[] {
    const events: SequencedEvent[] = [];
    while (this.#open !== null || this.#waiting.length > 0) events.push(...this.#close(), ...this.#next());
    return events;
  }

  #fill(part: Part, event: PartEvent): SequencedEvent[] {
    add(part, event);
    this.#lastPiece = part.pending || this.#lastPiece;
    const events = give(part);
    if (this.#waiting.length > 0) events.push(...this.#advance());
    return events;
  }

  #advance(): SequencedEvent[] {
    const events: SequencedEvent[] = [];
    while (this.#waiting.length > 0 && (this.#open === null || isWhole(this.#open, this.#lastPiece)))
      events.push(...this.#close(), ...this.#next());
    return events;
  }

  #close(): SequencedEvent[] {
    const part = this.#open;
    this.#open = null;
    return part === null ? [] : [{ type: 'close', kind: part.kind, text: part.text, opaque: part.opaque }];
  }

  #next(): SequencedEvent[] {
    const part = this.#waiting.shift() ?? null;
    this.#open = part;
    this.#lastPiece = part?.pending ?? '';
    return part === null ? [] : give(part);
  }
}

function add(part: Part, event: PartEvent): void {
  const text = textOf(event);
  part.text += text;
  part.pending += text;
  if (event.type === 'opaque') part.opaque = event.opaque;
}

function give(part: Part): SequencedEvent[] {
  const events: SequencedEvent[] = [];
  const { kind } = part;
  if (!part.opened)
    events.push(
      kind === 'call' ? { type: 'open', kind, id: part.id, name: part.name } : { type: 'open', kind },
    );
  part.opened = true;
  if (part.pending !== '') events.push({ type: 'fill', kind, text: part.pending });
  part.pending = '';
  return events;
}
