import { createEgress, type Egress, type EgressOptions } from '@tallygate/server/egress/egress';
import { createEgressPolicy } from '@tallygate/server/egress/egress-policy';
import type { UpstreamRequest } from '@tallygate/server/egress/http1/request-head';
import type { UpstreamController, UpstreamHandler } from '@tallygate/server/egress/http1/upstream-handler';
import { afterEach, beforeEach } from 'vitest';
import { ManualTimers } from './manual-timers.ts';
import { type SocketUpstream, socketUpstream, type UpstreamSocket } from './socket-upstream.ts';

/** A whole answer, after which another request may follow. */
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
/** A head whose body lasts as long as its connection. */
export const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\n\r\n';
/** A loop of events has gone round, whatever was to be read has been. */
export const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

/** Says the same to every request. */
export const answers =
  (text: string) =>
  ({ socket }: UpstreamSocket): void =>
    void socket.write(text, 'latin1');

/** A request and all that was heard of it. */
export class Sent implements UpstreamHandler {
  controller: UpstreamController | null = null;
  statuses: number[] = [];
  body = '';
  started = false;
  /** Code or message of the error; 'end' for an answer that was whole. */
  ended: string | null = null;
  bytes = 0;
  readonly done: Promise<string>;
  #tell: (how: string) => void = () => undefined;

  constructor() {
    this.done = new Promise((tell) => {
      this.#tell = tell;
    });
  }

  onRequestQueued(controller: UpstreamController): void {
    this.controller = controller;
  }
  onRequestStart(_controller: UpstreamController): void {
    this.started = true;
  }
  onResponseStart(_controller: UpstreamController, status: number): void {
    this.statuses.push(status);
  }
  onResponseData(_controller: UpstreamController, bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.body.length < 1000) this.body += bytes.toString('latin1');
  }
  onResponseEnd(): void {
    this.#end('end');
  }
  onResponseError(_controller: UpstreamController, error: Error): void {
    this.#end('code' in error ? String(error.code) : error.message);
  }
  #end(how: string): void {
    this.ended = this.ended === null ? how : `${this.ended}, then ${how}`;
    this.#tell(how);
  }
}

/** Sends a request with which a test has changed what it means to. */
export function send(
  egress: Egress,
  origin: string,
  { handler = new Sent(), ...change }: Partial<UpstreamRequest> & { handler?: Sent } = {},
): Sent {
  const request = {
    method: 'POST',
    path: '/',
    headers: [],
    body: null,
    headTimeoutMs: 1_000,
    bodyTimeoutMs: 500,
  };
  egress.upstream({ origin, allowPrivate: true }).send({ ...request, ...change } as UpstreamRequest, handler);
  return handler;
}

/** Sends, and gives the connection back. */
export async function serve(
  egress: Egress,
  origin: string,
  change: Partial<UpstreamRequest> = {},
): Promise<Sent> {
  const sent = send(egress, origin, change);
  await sent.done;
  await turn();
  return sent;
}

/** Upstreams and clients of a test, on time that stands still; all are closed after it. */
export function poolWorld() {
  const closing: (() => unknown)[] = [];
  let time = new ManualTimers(0);
  beforeEach(() => {
    time = new ManualTimers(0);
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  return {
    get time(): ManualTimers {
      return time;
    },
    egressOf(options: Partial<EgressOptions> = {}): Egress {
      const egress = createEgress({
        connectTimeoutMs: 2_000,
        policy: createEgressPolicy({ privateUpstreams: 'accounts', allowed: [] }),
        timers: { ...time.clock(), after: time.after },
        ...options,
      });
      closing.push(() => egress.destroy());
      return egress;
    },
    async upstream(onRequest: (connection: UpstreamSocket) => void): Promise<SocketUpstream> {
      const made = await socketUpstream(onRequest);
      closing.push(() => made.close());
      return made;
    },
    /** The test closes it by itself too. */
    closes(close: () => unknown): void {
      closing.push(close);
    },
  };
}
