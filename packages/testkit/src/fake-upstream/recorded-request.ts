import type { ParsedHead } from './request-parser.ts';

/** One request as the fake upstream received it, byte-exact. */
export interface RecordedRequest extends ParsedHead {
  /** Number of the TCP connection it came on, from 1. */
  connection: number;
  path: string;
  /** Decoded body bytes so far. */
  body(): Buffer;
  /** Body as it stood on the wire, chunk framing included. */
  rawBody(): Buffer;
  /** Values of a header, in order; names compare without case. */
  values(name: string): string[];
  /** The single value of a header; undefined when absent or repeated. */
  value(name: string): string | undefined;
  /** Body parsed as JSON. */
  json(): unknown;
  /** `performance.now()` when the head had arrived. */
  headAtMs: number;
  /** Resolves when the whole body had arrived. */
  received: Promise<void>;
  /** Resolves with `performance.now()` when the peer ended or reset the connection. */
  peerGone: Promise<number>;
}

/** The writing side of a {@link RecordedRequest}, for the server that fills it. */
export interface RequestRecorder {
  request: RecordedRequest;
  addBody(decoded: Buffer, raw: Buffer): void;
  end(): void;
}

export function createRecorder(
  head: ParsedHead,
  connection: number,
  peerGone: Promise<number>,
): RequestRecorder {
  const decoded: Buffer[] = [];
  const raw: Buffer[] = [];
  const received = Promise.withResolvers<void>();
  const values = (name: string) =>
    head.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const body = () => Buffer.concat(decoded);
  return {
    request: {
      ...head,
      connection,
      path: head.target.split('?')[0] ?? '',
      body,
      rawBody: () => Buffer.concat(raw),
      values,
      value: (name) => {
        const found = values(name);
        return found.length === 1 ? found[0] : undefined;
      },
      json: () => JSON.parse(body().toString('utf8')),
      headAtMs: performance.now(),
      received: received.promise,
      peerGone,
    },
    addBody(decodedBytes, rawBytes) {
      // Copies: the parser hands out views of the socket's buffers.
      if (decodedBytes.length > 0) decoded.push(Buffer.from(decodedBytes));
      raw.push(Buffer.from(rawBytes));
    },
    end: received.resolve,
  };
}
