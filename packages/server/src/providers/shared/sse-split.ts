const LF = 0x0a;
const CR = 0x0d;

/** Length of the line end at `index`: 0 when there is none, 1 for CR or LF, 2 for CRLF. */
function lineEnd(bytes: Buffer, index: number): number {
  const byte = bytes[index];
  if (byte === LF) return 1;
  if (byte !== CR) return 0;
  return bytes[index + 1] === LF ? 2 : 1;
}

/**
 * Index just after the blank line that ends the event containing `from`, or -1 when the event is not complete.
 * Lines may end in LF, CRLF or CR, mixed (WHATWG HTML §9.2.6).
 */
export function eventEnd(bytes: Buffer, from: number): number {
  if (bytes.indexOf(CR, from) === -1) {
    const blank = bytes.indexOf('\n\n', from, 'latin1');
    return blank === -1 ? -1 : blank + 2;
  }
  for (let i = from; i < bytes.length; ) {
    const first = lineEnd(bytes, i);
    if (first === 0) {
      i += 1;
      continue;
    }
    // A CR as the last byte may be half of CRLF: wait for the next byte before judging.
    if (bytes[i] === CR && i + 1 >= bytes.length) return -1;
    const second = lineEnd(bytes, i + first);
    if (second > 0) {
      const end = i + first + second;
      return bytes[i + first] === CR && end >= bytes.length && second === 1 ? -1 : end;
    }
    i += first;
  }
  return -1;
}

/** An event's name (null when absent) and its data lines joined by newline. */
export interface SseEvent {
  name: string | null;
  data: string;
}

function splitField(line: string): { field: string; value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { field: line, value: '' };
  const value = line.slice(colon + 1);
  return { field: line.slice(0, colon), value: value.startsWith(' ') ? value.slice(1) : value };
}

/** Parses the text of one complete event; comments, ids and retry fields are passed over. */
export function parseEvent(text: string): SseEvent {
  let name: string | null = null;
  let data: string | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const { field, value } = splitField(line);
    if (field === 'event') name = value;
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return { name, data: data ?? '' };
}
