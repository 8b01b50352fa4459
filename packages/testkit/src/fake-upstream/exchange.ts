import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { RecordedRequest } from './recorded-request.ts';

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** One request and the means to answer it, well or badly: raw bytes on a raw socket. */
export interface Exchange {
  readonly request: RecordedRequest;
  /** Resolves once the kernel took the bytes; false when the peer was gone. Back-pressure shows here. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** Status line and headers, exactly these, in this order and case. */
  head(status: number, headers: HeaderList, reason?: string): Promise<boolean>;
  /** One HTTP chunk of a `transfer-encoding: chunked` answer. */
  chunk(bytes: string | Uint8Array): Promise<boolean>;
  endChunks(): Promise<boolean>;
  /** A whole answer with `content-length`. */
  answer(status: number, headers: HeaderList, body: string | Uint8Array): Promise<boolean>;
  /** Pacing of a scripted answer. */
  pause(ms: number): Promise<void>;
  /** Resolves when the peer has gone; how long it takes is what tests measure. */
  untilPeerGone(): Promise<number>;
  /** TCP reset. */
  reset(): void;
  /** FIN: our side ends, the peer's stays open. */
  halfClose(): void;
  /** Stops reading what the peer sends, so that its writes meet back-pressure. */
  stopReading(): void;
}

export type Responder = (exchange: Exchange) => Promise<unknown> | unknown;

const REASONS: Record<number, string> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  429: 'Too Many Requests',
};

export function createExchange(request: RecordedRequest, socket: Socket): Exchange {
  const write = (bytes: string | Uint8Array): Promise<boolean> =>
    new Promise((resolve) => {
      if (socket.destroyed || !socket.writable) return resolve(false);
      socket.write(bytes, (error) => resolve(!error));
    });
  const head = (status: number, headers: HeaderList, reason = REASONS[status] ?? 'Status') =>
    write(`HTTP/1.1 ${status} ${reason}\r\n${headers.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`);
  return {
    request,
    write,
    head,
    chunk(bytes) {
      const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      return write(
        Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]),
      );
    },
    endChunks: () => write('0\r\n\r\n'),
    async answer(status, headers, body) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      await head(status, [...headers, ['Content-Length', String(bytes.length)]]);
      return write(bytes);
    },
    pause: (ms) => sleep(ms),
    untilPeerGone: () => request.peerGone,
    reset: () => void socket.resetAndDestroy(),
    halfClose: () => void socket.end(),
    stopReading: () => void socket.pause(),
  };
}

/** A complete JSON answer. */
export function jsonAnswer(
  body: unknown,
  options: { status?: number; headers?: HeaderList; encoding?: 'gzip' | 'br' } = {},
): Responder {
  const { status = 200, headers = [], encoding } = options;
  const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const bytes = encoding === 'gzip' ? gzipSync(text) : encoding === 'br' ? brotliCompressSync(text) : text;
  const encodingHeader: HeaderList = encoding ? [['Content-Encoding', encoding]] : [];
  return (exchange) =>
    exchange.answer(status, [['Content-Type', 'application/json'], ...encodingHeader, ...headers], bytes);
}

/**
 * A stream of server-sent events, cut into pieces by `cut` (see `chunking.ts`), each its own HTTP chunk and TCP
 * write; `gapMs` between pieces paces it.
 */
export function sseAnswer(
  events: readonly string[],
  options: { cut?: (text: readonly string[]) => Uint8Array[]; headers?: HeaderList; gapMs?: number } = {},
): Responder {
  const { cut = (list) => list.map((event) => Buffer.from(event)), headers = [], gapMs = 0 } = options;
  return async (exchange) => {
    await exchange.head(200, [
      ['Content-Type', 'text/event-stream; charset=utf-8'],
      ['Cache-Control', 'no-cache'],
      ['Transfer-Encoding', 'chunked'],
      ...headers,
    ]);
    for (const piece of cut(events)) {
      if (!(await exchange.chunk(piece))) return;
      if (gapMs > 0) await exchange.pause(gapMs);
    }
    await exchange.endChunks();
  };
}

/** Sends `events` and then does `misbehave` instead of ending the answer. */
export function sseThen(
  events: readonly string[],
  misbehave: Responder,
  headers: HeaderList = [],
): Responder {
  return async (exchange) => {
    await exchange.head(200, [
      ['Content-Type', 'text/event-stream'],
      ['Transfer-Encoding', 'chunked'],
      ...headers,
    ]);
    for (const event of events) await exchange.chunk(event);
    await misbehave(exchange);
  };
}

/** Never answers; ends when the peer has gone. */
export const stall: Responder = (exchange) => exchange.untilPeerGone();

/** Writes `totalBytes` of SSE comment-free events as fast as the peer reads them; `progress` sees the bytes the kernel took. */
export function floodAnswer(
  event: string,
  totalBytes: number,
  progress: (sentBytes: number) => void = () => {},
): Responder {
  const block = Buffer.from(event.repeat(Math.max(1, Math.floor(65_536 / Buffer.byteLength(event)))));
  return async (exchange) => {
    await exchange.head(200, [
      ['Content-Type', 'text/event-stream'],
      ['Transfer-Encoding', 'chunked'],
    ]);
    let sent = 0;
    while (sent < totalBytes) {
      if (!(await exchange.chunk(block))) return;
      sent += block.length;
      progress(sent);
    }
    await exchange.endChunks();
  };
}
