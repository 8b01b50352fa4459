import type { UsageMeter } from '../provider.ts';
import { CarryBuffer } from './carry-buffer.ts';
import { eventEnd, parseEvent } from './sse-split.ts';

/** An event larger than this is not metered (it is still forwarded): memory stays bounded whatever is sent. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

export const TAP_CONTENT = 1;
export const TAP_TERMINAL = 2;

/** What to look for in an event, before the first content was seen and after it. */
interface MarkerSets {
  before: RegExp;
  after: RegExp;
  /** The same or a CR, which changes where events end. */
  beforeOrCr: RegExp;
  afterOrCr: RegExp;
  /** The same as `before` and `after`, for walking through a text. */
  beforeWalk: RegExp;
  afterWalk: RegExp;
}
const LF = 0x0a;
const compiled = new WeakMap<UsageMeter['markers'], MarkerSets>();

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** One regular expression over the raw bytes read as latin1: markers are ASCII, so no decoding is needed. */
function markerSets(markers: UsageMeter['markers']): MarkerSets {
  const known = compiled.get(markers);
  if (known) return known;
  const after = [...markers.usage, ...markers.terminal].map(escaped);
  const before = [...after, ...markers.content.map(escaped)];
  const any = (parts: readonly string[], flags = ''): RegExp => new RegExp(parts.join('|'), flags);
  const sets: MarkerSets = {
    before: any(before),
    after: any(after),
    beforeOrCr: any(['\\r', ...before]),
    afterOrCr: any(['\\r', ...after]),
    beforeWalk: any(before, 'g'),
    afterWalk: any(after, 'g'),
  };
  compiled.set(markers, sets);
  return sets;
}

/**
 * Reads the SSE bytes of one answer on the side and shows the meter only the events that matter. Chunks may be
 * cut anywhere, also inside a character; the bytes themselves are never changed or copied unless an event is
 * split between chunks.
 */
export class SseTap {
  readonly #meter: UsageMeter;
  readonly #markers: MarkerSets;
  readonly #carry = new CarryBuffer();
  #contentSeen = false;
  /** Set while the rest of an oversized event is passed over. */
  #skipping = false;

  constructor(meter: UsageMeter) {
    this.#meter = meter;
    this.#markers = markerSets(meter.markers);
  }

  /** @returns bits: `TAP_CONTENT` when the first content was in this chunk, `TAP_TERMINAL` when the answer is complete with it */
  push(chunk: Buffer): number {
    if (this.#carry.length === 0 && !this.#skipping) return this.#isDull(chunk) ? 0 : this.#scan(chunk);
    this.#carry.append(chunk);
    // A chunk without a line end completes nothing; not rescanning keeps one-byte chunks linear.
    if (this.#carry.length <= MAX_EVENT_BYTES && !chunk.includes(0x0a) && !chunk.includes(0x0d)) return 0;
    return this.#scan(this.#carry.view());
  }

  /** The usual chunk of a running stream: whole events, nothing in them to meter. One string search decides it. */
  #isDull(chunk: Buffer): boolean {
    const last = chunk.length - 1;
    if (chunk[last] !== LF || chunk[last - 1] !== LF) return false;
    return !(this.#contentSeen ? this.#markers.afterOrCr : this.#markers.beforeOrCr).test(
      chunk.toString('latin1'),
    );
  }

  /** Scans bytes that start at an event boundary; keeps what is incomplete. */
  #scan(bytes: Buffer): number {
    const fromCarry = this.#carry.length > 0;
    const complete = lastBoundary(bytes);
    let seen = 0;
    if (complete > 0) {
      const region = complete === bytes.length ? bytes : bytes.subarray(0, complete);
      if (this.#skipping) seen = this.#afterSkipped(region);
      else seen = this.#events(region, 0);
    }
    this.#keep(bytes, complete, fromCarry);
    return seen;
  }

  #mayMatter(region: Buffer): boolean {
    const text = region.toString('latin1');
    return (this.#contentSeen ? this.#markers.after : this.#markers.before).test(text);
  }

  #afterSkipped(region: Buffer): number {
    this.#skipping = false;
    const end = eventEnd(region, 0);
    return end === -1 ? 0 : this.#events(region, end);
  }

  #events(region: Buffer, from: number): number {
    const text = region.toString('latin1');
    return text.includes('\r') ? this.#eachEvent(region, from) : this.#markedEvents(region, text, from);
  }

  /** Goes from marker to marker, so that a burst of dull events costs one search and not one each. */
  #markedEvents(region: Buffer, text: string, from: number): number {
    let seen = 0;
    for (let at = from; at < text.length; ) {
      const walk = this.#contentSeen ? this.#markers.afterWalk : this.#markers.beforeWalk;
      walk.lastIndex = at;
      const marked = walk.exec(text);
      if (marked === null) break;
      const blankBefore = text.lastIndexOf('\n\n', marked.index);
      const start = blankBefore < at ? at : blankBefore + 2;
      const blankAfter = text.indexOf('\n\n', marked.index);
      const end = blankAfter === -1 ? text.length : blankAfter + 2;
      seen |= this.#show(region.toString('utf8', start, end));
      at = end;
    }
    return seen;
  }

  /** The same where lines end in CR or CRLF: event by event. */
  #eachEvent(region: Buffer, from: number): number {
    let seen = 0;
    for (let start = from; start < region.length; ) {
      const found = eventEnd(region, start);
      const end = found === -1 ? region.length : found;
      const event = region.subarray(start, end);
      if (this.#mayMatter(event)) seen |= this.#show(event.toString('utf8'));
      start = end;
    }
    return seen;
  }

  #show(event: string): number {
    const { name, data } = parseEvent(event);
    const kind = this.#meter.event(name, data);
    if (kind === 'terminal') return TAP_TERMINAL;
    if (kind !== 'content' || this.#contentSeen) return 0;
    this.#contentSeen = true;
    return TAP_CONTENT;
  }

  #keep(bytes: Buffer, complete: number, fromCarry: boolean): void {
    if (complete === bytes.length) {
      this.#carry.reset();
      return;
    }
    const rest = bytes.subarray(complete);
    if (rest.length > MAX_EVENT_BYTES || this.#skipping) {
      // Enough is kept to see the blank line that ends the event being skipped.
      this.#skipping = true;
      const tail = Buffer.from(rest.subarray(-3));
      this.#carry.reset();
      this.#carry.append(tail);
      return;
    }
    if (fromCarry && complete === 0) return; // already in the carry
    const copy = fromCarry ? Buffer.from(rest) : rest;
    this.#carry.reset();
    this.#carry.append(copy);
  }
}

/** Index after the last complete event, 0 when there is none. */
function lastBoundary(bytes: Buffer): number {
  if (bytes.indexOf(0x0d) === -1) {
    const blank = bytes.lastIndexOf('\n\n', undefined, 'latin1');
    return blank === -1 ? 0 : blank + 2;
  }
  let complete = 0;
  for (let end = eventEnd(bytes, 0); end !== -1; end = eventEnd(bytes, end)) complete = end;
  return complete;
}
