/** A way to cut a stream of events into the pieces that travel alone. */
export type Cut = (events: readonly string[]) => Uint8Array[];

const whole = (events: readonly string[]): Buffer => Buffer.from(events.join(''));

function fixed(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Cuts after the first byte of every multi-byte UTF-8 character. */
function insideCharacters(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    if ((bytes[at] ?? 0) >= 0xc0) {
      pieces.push(bytes.subarray(from, at + 1));
      from = at + 1;
    }
  }
  pieces.push(bytes.subarray(from));
  return pieces.filter((piece) => piece.length > 0);
}

/** Cuts inside field names and between `event:` and `data:`, and before the second newline that ends an event. */
function insideFraming(bytes: Buffer): Buffer[] {
  return bytes
    .toString('latin1')
    .split(/(?<=da)(?=ta:)|(?<=\n)(?=data:)|(?<=[^\n]\r?\n)(?=\r?\n)|(?<=even)(?=t:)/)
    .map((piece) => Buffer.from(piece, 'latin1'));
}

/** Named ways in which networks cut streams; none of them may change a byte. */
export const CUTS: Record<string, Cut> = {
  'one event a piece': (events) => events.map((event) => Buffer.from(event)),
  'everything in one piece': (events) => [whole(events)],
  'several events a piece': (events) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < events.length; at += 3) pieces.push(whole(events.slice(at, at + 3)));
    return pieces;
  },
  'every byte alone': (events) => fixed(whole(events), 1),
  'seven bytes a piece': (events) => fixed(whole(events), 7),
  'inside multi-byte characters': (events) => insideCharacters(whole(events)),
  'inside the framing': (events) => insideFraming(whole(events)),
};

/** The same events with CRLF line ends, which the SSE grammar allows. */
export function withCrlf(events: readonly string[]): string[] {
  return events.map((event) => event.replaceAll('\n', '\r\n'));
}
