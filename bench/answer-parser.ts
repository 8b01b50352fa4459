const HEAD_END = Buffer.from('\r\n\r\n');
const CR = 13;
const LF = 10;

/** What the load generator wants to know; called as the bytes arrive. */
export interface AnswerSink {
  /** A complete answer: status and how many body bytes it had once decoded. */
  done(status: number, bodyBytes: number): void;
  /** Body bytes arrived (once a read, before `done`). */
  body(): void;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Counts through chunked framing (RFC 9112 §7.1) without copying; answers here carry no trailers. */
function createChunkCounter(): {
  feed(bytes: Buffer, from: number): { at: number; done: boolean; data: number };
} {
  let left = 0;
  let size = 0;
  let state: 'size' | 'data' | 'crlf' | 'end' = 'size';
  return {
    feed(bytes, from) {
      let at = from;
      let data = 0;
      while (at < bytes.length) {
        if (state === 'data') {
          const taken = Math.min(left, bytes.length - at);
          left -= taken;
          data += taken;
          at += taken;
          if (left === 0) state = 'crlf';
          continue;
        }
        const byte = bytes[at++] ?? 0;
        if (byte === CR) continue;
        if (state === 'size' && byte !== LF) size = size * 16 + Math.max(0, hexValue(byte));
        else if (byte === LF) {
          if (state === 'end') {
            state = 'size';
            return { at, done: true, data };
          }
          if (state === 'crlf') state = 'size';
          else {
            left = size;
            state = size === 0 ? 'end' : 'data';
            size = 0;
          }
        }
      }
      return { at, done: false, data };
    },
  };
}

/** The least an HTTP/1.1 client must understand: length or chunks. One per connection. */
export function createAnswerParser(sink: AnswerSink): (bytes: Buffer) => void {
  const chunks = createChunkCounter();
  let pending: Buffer | null = null;
  let inBody = false;
  let chunked = false;
  let left = 0;
  let seen = 0;
  let status = 0;

  const readHead = (bytes: Buffer): number => {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return -1;
    const head = bytes.toString('latin1', 0, end).toLowerCase();
    status = Number(head.slice(9, 12));
    const lengthAt = head.indexOf('\r\ncontent-length:');
    chunked = lengthAt < 0;
    left = chunked ? 0 : Number.parseInt(head.slice(lengthAt + 17), 10);
    seen = 0;
    inBody = true;
    return end + HEAD_END.length;
  };
  const readBody = (bytes: Buffer, from: number): number => {
    let at = from;
    let finished: boolean;
    if (chunked) {
      const step = chunks.feed(bytes, at);
      at = step.at;
      seen += step.data;
      finished = step.done;
      if (step.data > 0) sink.body();
    } else {
      const taken = Math.min(left, bytes.length - at);
      left -= taken;
      seen += taken;
      at += taken;
      finished = left === 0;
      if (taken > 0) sink.body();
    }
    if (finished) {
      inBody = false;
      sink.done(status, seen);
    }
    return at;
  };
  return (data) => {
    const bytes = pending ? Buffer.concat([pending, data]) : data;
    pending = null;
    let at = 0;
    while (at < bytes.length) {
      if (!inBody) {
        const bodyAt = readHead(at === 0 ? bytes : bytes.subarray(at));
        if (bodyAt < 0) {
          pending = bytes.subarray(at);
          return;
        }
        at += bodyAt;
        if (at === bytes.length && !chunked && left === 0) {
          inBody = false;
          sink.done(status, 0);
        }
      } else at = readBody(bytes, at);
    }
  };
}
