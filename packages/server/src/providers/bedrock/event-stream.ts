import { crc32 } from 'node:zlib';
import type { AnswerReframer } from '../provider.ts';
import { errorTypeOfException } from './exceptions.ts';

/** Total length, header length, and the checksum of the two. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** AWS allows 16 MiB of payload; a frame that claims more is none. */
const MAX_FRAME_BYTES = 17 * 1024 * 1024;
const STRING_HEADER = 7;
/** Bytes of a header's value by its type, where that is fixed; 6 and 7 carry their length. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

export interface EventFrame {
  headers: ReadonlyMap<string, string>;
  payload: Buffer;
}

function broken(what: string): never {
  throw new Error(`event stream: ${what}`);
}

/** The text headers of a frame; those of other types are passed over. */
function readHeaders(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    at = nameEnd + 1;
    const fixed = FIXED_BYTES[type];
    if (fixed !== undefined) {
      at += fixed;
      continue;
    }
    if (type !== 6 && type !== STRING_HEADER) broken(`header of unknown type ${type}`);
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) broken('header runs over its end');
    if (type === STRING_HEADER) headers.set(name, bytes.toString('utf8', at + 2, end));
    at = end;
  }
  return headers;
}

/** Reads frames of `application/vnd.amazon.eventstream` out of chunks of any size; both checksums are verified. */
export class EventFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws Error when a checksum or a length is wrong */
  push(chunk: Buffer): EventFrame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: EventFrame[] = [];
    let at = 0;
    while (bytes.length - at >= PRELUDE_BYTES) {
      const total = bytes.readUInt32BE(at);
      const headerBytes = bytes.readUInt32BE(at + 4);
      if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) broken('checksum of a prelude');
      if (total > MAX_FRAME_BYTES || headerBytes > total - PRELUDE_BYTES - CHECKSUM_BYTES) broken('length');
      if (bytes.length - at < total) break;
      const end = at + total - CHECKSUM_BYTES;
      if (crc32(bytes.subarray(at, end)) !== bytes.readUInt32BE(end)) broken('checksum of a frame');
      const payloadStart = at + PRELUDE_BYTES + headerBytes;
      frames.push({
        headers: readHeaders(bytes.subarray(at + PRELUDE_BYTES, payloadStart)),
        payload: bytes.subarray(payloadStart, end),
      });
      at += total;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function eventText(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`;
}

/** The event that a frame carries, as the Messages API would have sent it; empty for frames that carry none. */
function sseOf({ headers, payload }: EventFrame): string {
  const json = JSON.parse(payload.toString('utf8')) as { bytes?: unknown; message?: unknown };
  if (headers.get(':message-type') !== 'event') {
    const exception = headers.get(':exception-type') ?? headers.get(':error-code') ?? '';
    const message = typeof json.message === 'string' ? json.message : 'The upstream reported an error.';
    const error = { type: 'error', error: { type: errorTypeOfException(exception), message } };
    return eventText('error', JSON.stringify(error));
  }
  if (headers.get(':event-type') !== 'chunk' || typeof json.bytes !== 'string') return '';
  const data = Buffer.from(json.bytes, 'base64').toString('utf8');
  const { type } = JSON.parse(data) as { type?: unknown };
  if (typeof type !== 'string' || !/^[\w.]{1,64}$/.test(type)) broken('an event without a type');
  // A line break between tokens of the JSON would end the data line.
  return eventText(type, data.replace(/[\r\n]+/g, ' '));
}

/** Turns the frames of an answer into the server-sent events that clients of the Messages API read. */
export function reframeAsSse(): AnswerReframer {
  const frames = new EventFrames();
  return {
    push: (chunk) => Buffer.from(frames.push(chunk).map(sseOf).join('')),
    // What ends in the middle of a frame lacks its last event, and is taken for cut like any other stream.
    end: () => Buffer.alloc(0),
  };
}
