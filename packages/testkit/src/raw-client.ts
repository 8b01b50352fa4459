import { createConnection, type Socket } from 'node:net';
import { createRequestParser } from './fake-upstream/request-parser.ts';

/** The head of an answer, byte-exact. */
export interface RawHead {
  status: number;
  rawHead: Buffer;
  /** In order, names in the case they were sent. */
  headers: [name: string, value: string][];
  values(name: string): string[];
  /** The first value; undefined when absent. */
  value(name: string): string | undefined;
}
export interface RawAnswer extends RawHead {
  body: Buffer;
  text: string;
  json(): unknown;
}

/** The connection ended before the answer was complete; what had come is in the fields. */
export class CutAnswer extends Error {
  readonly head: RawHead | null;
  readonly body: Buffer;
  constructor(head: RawHead | null, body: Buffer) {
    super(`the connection ended after ${body.length} body bytes of an unfinished answer`);
    this.head = head;
    this.body = body;
  }
}

export interface RawCall {
  readonly socket: Socket;
  /** Heads of informational answers (1xx) seen so far. */
  readonly informational: RawHead[];
  /** The final head; rejects when the connection ends before it. */
  readonly head: Promise<RawHead>;
  /** The complete answer; rejects with {@link CutAnswer}. */
  readonly answer: Promise<RawAnswer>;
  bodySoFar(): Buffer;
  /** Resolves with `performance.now()` once the decoded body contains `text`; rejects when the answer ends without. */
  until(text: string): Promise<number>;
  /** Closes the connection at once, as a client that gives up does. */
  leave(): void;
}

export interface RawRequest {
  method?: string;
  path: string;
  /** Beside `host` and, when there is a body, `content-length`, unless given here. */
  headers?: readonly (readonly [name: string, value: string])[];
  body?: string | Uint8Array | undefined;
}

/** A request as bytes; nothing is added that a test did not ask for but host and length. */
export function requestBytes(request: RawRequest): Buffer {
  const { method = 'POST', path, headers = [], body } = request;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [`${method} ${path} HTTP/1.1`];
  if (!names.has('host')) lines.push('host: 127.0.0.1');
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  if (body !== undefined && !names.has('content-length') && !names.has('transfer-encoding')) {
    lines.push(`content-length: ${bytes.length}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

function toHead(parsed: { target: string; rawHead: Buffer; headers: [string, string][] }): RawHead {
  const values = (name: string) =>
    parsed.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return { ...parsed, status: Number(parsed.target), values, value: (name) => values(name)[0] };
}

interface Waiter {
  text: string;
  resolve(atMs: number): void;
  reject(error: Error): void;
}

/** What is read off one connection; the request parser serves answers too, since both share RFC 9112 framing. */
class Reading {
  readonly informational: RawHead[] = [];
  readonly head = Promise.withResolvers<RawHead>();
  readonly answer = Promise.withResolvers<RawAnswer>();
  readonly waiters: Waiter[] = [];
  #parts: Buffer[] = [];
  #head: RawHead | null = null;
  #done = false;
  readonly feed: (bytes: Buffer) => void;
  readonly #bodyless: boolean;

  constructor(bodyless: boolean) {
    this.#bodyless = bodyless;
    this.head.promise.catch(() => {});
    this.answer.promise.catch(() => {});
    const parse = createRequestParser({
      head: (parsed) => this.#onHead(toHead(parsed)),
      body: (decoded) => this.#onBody(decoded),
      end: () => this.#onEnd(),
    });
    this.feed = (bytes) => {
      if (!this.#done) parse(bytes);
    };
  }

  body(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #onHead(head: RawHead): void {
    if (head.status < 200) {
      this.informational.push(head);
      return;
    }
    this.#head = head;
    this.head.resolve(head);
    if (this.#bodyless) this.#onEnd();
  }

  #onBody(decoded: Buffer): void {
    if (decoded.length === 0) return;
    this.#parts.push(Buffer.from(decoded));
    if (this.waiters.length === 0) return;
    const seen = this.body();
    for (const waiter of [...this.waiters]) {
      if (!seen.includes(waiter.text)) continue;
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      waiter.resolve(performance.now());
    }
  }

  #onEnd(): void {
    if (this.#head === null || this.#done) return; // a 1xx
    this.#done = true;
    const body = this.body();
    const text = body.toString('utf8');
    this.answer.resolve({ ...this.#head, body, text, json: () => JSON.parse(text) });
    this.cut();
  }

  /** Nothing more will come. */
  cut(): void {
    const error = new CutAnswer(this.#head, this.body());
    this.head.reject(error);
    this.answer.reject(error);
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }
}

/** Sends bytes on a fresh connection and reads one answer, byte-exact. */
export function rawCall(port: number, bytes: Uint8Array | readonly Uint8Array[]): RawCall {
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
  const socket = createConnection(port, '127.0.0.1');
  socket.setNoDelay(true);
  for (const piece of pieces) socket.write(piece);
  const start = Buffer.from(pieces[0] ?? []).toString('latin1', 0, 5);
  const reading = new Reading(start.startsWith('HEAD '));
  socket.on('data', (data: Buffer) => reading.feed(data));
  socket.on('error', () => reading.cut());
  socket.on('close', () => reading.cut());
  reading.answer.promise.then(
    () => socket.destroy(),
    () => socket.destroy(),
  );
  return {
    socket,
    informational: reading.informational,
    head: reading.head.promise,
    answer: reading.answer.promise,
    bodySoFar: () => reading.body(),
    until: (text) =>
      reading.body().includes(text)
        ? Promise.resolve(performance.now())
        : new Promise((resolve, reject) => reading.waiters.push({ text, resolve, reject })),
    leave: () => void socket.resetAndDestroy(),
  };
}
