/** What the parser saw of one request, byte-exact. */
export interface ParsedHead {
  method: string;
  /** Request target as sent, query string included. */
  target: string;
  /** Request line, header lines and the closing empty line, as they came. */
  rawHead: Buffer;
  /** Header lines in order, names in the case they were sent. */
  headers: [name: string, value: string][];
}

export interface RequestSink {
  head(head: ParsedHead): void;
  /** @param decoded the body bytes; @param raw the same as they stood on the wire (chunk framing included) */
  body(decoded: Buffer, raw: Buffer): void;
  end(): void;
}

const EMPTY: Buffer = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

function parseHead(rawHead: Buffer): ParsedHead {
  const lines = rawHead.toString('latin1').split('\r\n');
  const [method = '', target = ''] = (lines[0] ?? '').split(' ');
  const headers = lines
    .slice(1)
    .filter((line) => line !== '')
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  return { method, target, rawHead, headers };
}

/**
 * An incremental HTTP/1.1 request parser that keeps every byte (RFC 9112 §3–§7), for judging what a proxy sent.
 * Deliberately not `node:http`, which normalises what we want to look at.
 * @returns the function that takes the next bytes of the connection; it throws on a malformed chunk size
 */
export function createRequestParser(sink: RequestSink): (bytes: Buffer) => void {
  let pending: Buffer = EMPTY;
  let state: 'head' | 'sized' | 'chunk-size' | 'chunk-data' | 'trailer' = 'head';
  let left = 0;

  const take = (length: number): Buffer => {
    const taken = pending.subarray(0, length);
    pending = pending.subarray(length);
    return taken;
  };
  const finish = (): void => {
    state = 'head';
    sink.end();
  };
  const onHead = (): boolean => {
    const end = pending.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = parseHead(Buffer.from(take(end + HEAD_END.length)));
    const value = (name: string) => head.headers.find(([n]) => n.toLowerCase() === name)?.[1];
    sink.head(head);
    if (/chunked\s*$/i.test(value('transfer-encoding') ?? '')) state = 'chunk-size';
    else {
      left = Number(value('content-length') ?? 0);
      if (left > 0) state = 'sized';
      else finish();
    }
    return true;
  };
  const onChunkSize = (): boolean => {
    const end = pending.indexOf(LINE_END);
    if (end < 0) return false;
    const line = take(end + LINE_END.length);
    left = Number.parseInt(line.toString('latin1'), 16);
    if (Number.isNaN(left)) throw new Error(`not a chunk size: ${JSON.stringify(line.toString('latin1'))}`);
    sink.body(EMPTY, line);
    state = left === 0 ? 'trailer' : 'chunk-data';
    return true;
  };
  const onData = (): boolean => {
    if (pending.length === 0) return false;
    const data = take(Math.min(left, pending.length));
    left -= data.length;
    sink.body(data, data);
    if (left === 0 && state === 'sized') finish();
    return true;
  };
  const onChunkData = (): boolean => {
    if (left > 0) return onData();
    if (pending.length < LINE_END.length) return false;
    sink.body(EMPTY, take(LINE_END.length));
    state = 'chunk-size';
    return true;
  };
  const onTrailer = (): boolean => {
    const end = pending.indexOf(LINE_END);
    if (end < 0) return false;
    const line = take(end + LINE_END.length);
    sink.body(EMPTY, line);
    if (line.length === LINE_END.length) finish();
    return true;
  };
  const steps = {
    head: onHead,
    sized: onData,
    'chunk-size': onChunkSize,
    'chunk-data': onChunkData,
    trailer: onTrailer,
  };
  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    while (pending.length > 0 && steps[state]());
  };
}
