import { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { Timers } from '../../kernel/timers.ts';
import type { UpstreamRequest } from './request-head.ts';
import { type Carrier, RunningRequest } from './running-request.ts';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';
import { asError, UpstreamError } from './upstream-error.ts';
import type { Upstream, UpstreamHandler } from './upstream-handler.ts';

interface PoolOptions {
  origin: string;
  /** Opens a connection, through the guard. */
  connect: buildConnector.connector;
  timers: Timers;
}

/** A connection on its way. */
class Opening implements Carrier {
  readonly written = false;
  /** What the connector returned at once: the socket, as far as it says. */
  socket: unknown = null;
  readonly #onDrop: (opening: Opening) => void;

  constructor(onDrop: (opening: Opening) => void) {
    this.#onDrop = onDrop;
  }

  pause(): void {}
  resume(): void {}
  drop(): void {
    if (this.socket instanceof Socket) this.socket.destroy();
    this.#onDrop(this);
  }
}

interface Waiting {
  connection: UpstreamConnection;
  request: RunningRequest;
}

/** Scheme, host and port, and nothing that would be lost without a word. @throws Error for anything else */
function originOf(text: string): URL {
  const url = new URL(text);
  const known = url.protocol === 'http:' || url.protocol === 'https:';
  if (!known || url.href !== `${url.origin}/`)
    throw new UpstreamError(
      'HTTP_REQUEST_INVALID',
      'An origin is http:// or https:// with a host and a port.',
    );
  return url;
}

function closedPool(): UpstreamError {
  return new UpstreamError('HTTP_POOL_CLOSED', 'The connections to the upstream are closed.');
}

/**
 * Connections to one target. A request takes the one that was used last, or opens one: nothing waits for another
 * request's end, for our own limits stand in front.
 *
 * What an upstream sent unasked, or that it has closed, is noticed only when its socket is read. So a connection rests
 * for one turn of the event loop after an answer, and a request waits for the end of the turn it came in: whatever had
 * arrived until then has been seen, and ended the connection, before the request is written.
 */
export class ConnectionPool implements Upstream, ConnectionOwner {
  readonly #options: PoolOptions;
  readonly #host: string;
  readonly #where: { hostname: string; host: string; protocol: string; port: string };
  readonly #connections = new Set<UpstreamConnection>();
  readonly #openings = new Map<Opening, RunningRequest>();
  /** Free ones; the last was used last. */
  readonly #free: UpstreamConnection[] = [];
  #resting: UpstreamConnection[] = [];
  #waiting: Waiting[] = [];
  #turnAsked = false;
  #closed = false;
  #whenEmpty: (() => void)[] = [];

  /** @throws UpstreamError when the origin is none */
  constructor(options: PoolOptions) {
    this.#options = options;
    const { host, hostname, protocol, port } = originOf(options.origin);
    this.#host = host;
    this.#where = { hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port };
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (this.#closed) throw closedPool();
    const running = new RunningRequest(request, handler, this.#host);
    handler.onRequestQueued(running);
    if (!running.ended) this.#place(running);
  }

  get running(): number {
    let count = this.#openings.size;
    for (const { request } of this.#waiting) if (!request.ended) count += 1;
    for (const connection of this.#connections) if (connection.busy) count += 1;
    return count;
  }

  /** Ends free connections and waits for the busy ones. */
  close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#connections)
      if (!connection.busy && !this.#isTaken(connection)) connection.destroy();
    return this.#empty();
  }

  /** Ends all connections, and with them their requests. */
  destroy(): Promise<void> {
    this.#closed = true;
    for (const [opening, request] of this.#openings) {
      opening.drop();
      request.fail(closedPool());
    }
    for (const { request } of this.#waiting) request.fail(closedPool());
    for (const connection of this.#connections) connection.destroy(closedPool());
    return this.#empty();
  }

  onFree(connection: UpstreamConnection): void {
    if (this.#closed) return connection.destroy();
    this.#resting.push(connection);
    this.#askTurn();
  }

  onGone(connection: UpstreamConnection): void {
    this.#connections.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at !== -1) this.#free.splice(at, 1);
    this.#tellEmpty();
  }

  /** Gives a request a free connection, from the end of this turn on, or opens one for it. */
  #place(request: RunningRequest): void {
    const connection = this.#takeFree();
    if (connection === null) return this.#open(request);
    this.#waiting.push({ connection, request });
    this.#askTurn();
  }

  #takeFree(): UpstreamConnection | null {
    for (;;) {
      const connection = this.#free.pop();
      if (connection === undefined) return null;
      if (connection.usable) return connection;
    }
  }

  #isTaken(connection: UpstreamConnection): boolean {
    return this.#waiting.some((one) => one.connection === connection);
  }

  #askTurn(): void {
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    setImmediate(this.#turn);
  }

  /** All sockets that had something to read in this turn have been read. */
  #turn = (): void => {
    this.#turnAsked = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { connection, request } of waiting) {
      if (request.ended) this.#giveBack(connection);
      else if (connection.usable) connection.start(request);
      else this.#place(request);
    }
    const rested = this.#resting;
    this.#resting = [];
    for (const connection of rested) this.#giveBack(connection);
  };

  #giveBack(connection: UpstreamConnection): void {
    if (!connection.usable) return;
    if (this.#closed) return connection.destroy();
    this.#free.push(connection);
  }

  #open(request: RunningRequest): void {
    const opening = new Opening(this.#forget);
    this.#openings.set(opening, request);
    request.carriedBy(opening);
    try {
      opening.socket = this.#options.connect(this.#where, (...result) => {
        this.#opened(request, result);
        this.#forget(opening);
      });
    } catch (error) {
      this.#forget(opening);
      request.fail(asError(error));
    }
  }

  #opened(request: RunningRequest, [error, socket]: Parameters<buildConnector.Callback>): void {
    if (error !== null) return request.fail(error);
    if (request.ended) {
      socket.destroy();
      return;
    }
    const connection = new UpstreamConnection(socket, this, this.#options.timers);
    this.#connections.add(connection);
    connection.start(request);
  }

  #forget = (opening: Opening): void => {
    this.#openings.delete(opening);
    this.#tellEmpty();
  };

  #empty(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
      this.#tellEmpty();
    });
  }

  #tellEmpty(): void {
    if (this.#connections.size > 0 || this.#openings.size > 0) return;
    for (const tell of this.#whenEmpty.splice(0)) tell();
  }
}
