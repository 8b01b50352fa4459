import type { ServerResponse } from 'node:http';
import type { EventSink } from '../admin/route.ts';
import { AppError } from '../kernel/errors.ts';

/** All open event streams of this process, bounded. */
export interface EventStreams {
  /**
   * Opens a stream on a response whose headers are final.
   * @param alive asked with every heartbeat: false ends the stream, because its credential is no longer good
   * @throws AppError `rate_limited` when too many are open
   */
  open(response: ServerResponse, options: StreamOptions): EventSink;
  /** @throws AppError `rate_limited` when `open` would */
  assertRoom(workspaceId: string): void;
  /** Ends the streams that this credential holds open. */
  endOf(credential: string): void;
  endAll(): void;
}

export interface StreamOptions {
  headers: Readonly<Record<string, string>>;
  credential: string;
  workspaceId: string;
  alive(): Promise<boolean>;
}

/** Of one workspace: whoever fills its places takes none of another's. */
const MAX_WORKSPACE_STREAMS = 100;
const MAX_STREAMS = 400;
/** What may wait for a slow reader. Beyond it the reader is dropped, not buffered; it reconnects and resumes. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Proxies close idle connections after 30 to 60 seconds (WT-16). */
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this many heartbeats holds a place for nobody. */
const MAX_STUCK_BEATS = 4;
const RECONNECT_MS = 2_000;

class Stream implements EventSink {
  readonly credential: string;
  readonly workspaceId: string;
  readonly #response: ServerResponse;
  readonly #closeListeners: (() => void)[] = [];
  readonly #beatListeners: (() => void)[] = [];
  readonly #drainWaiters: (() => void)[] = [];
  readonly #beat: NodeJS.Timeout;
  readonly #alive: () => Promise<boolean>;
  #stuckBeats = 0;
  #drained = false;
  open = true;

  constructor(response: ServerResponse, options: StreamOptions, heartbeatMs: number) {
    this.#response = response;
    this.credential = options.credential;
    this.workspaceId = options.workspaceId;
    this.#alive = options.alive;
    response.writeHead(200, {
      ...options.headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.socket?.setNoDelay(true);
    response.socket?.setTimeout(0);
    response.once('close', () => this.#closed());
    response.on('error', () => this.close());
    response.on('drain', () => {
      this.#drained = true;
      this.#releaseWaiters();
    });
    response.write(`retry: ${RECONNECT_MS}\n: open\n\n`);
    this.#beat = setInterval(() => void this.#heartbeat(), heartbeatMs);
  }

  send({ event, id, data }: { event: string; id?: string; data: unknown }): boolean {
    if (!this.open) return false;
    const idLine = id === undefined ? '' : `id: ${id}\n`;
    this.#response.write(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (this.#response.writableLength > MAX_WAITING_BYTES) this.close();
    return this.open;
  }

  drained(): Promise<void> {
    if (!this.open || !this.#response.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  onClose(listener: () => void): void {
    if (this.open) this.#closeListeners.push(listener);
    else listener();
  }

  onBeat(listener: () => void): void {
    this.#beatListeners.push(listener);
  }

  close(): void {
    if (!this.open) return;
    if (this.#response.writableNeedDrain) this.#response.destroy();
    else this.#response.end();
    this.#closed();
  }

  #closed(): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.#beat);
    this.#releaseWaiters();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  #releaseWaiters(): void {
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }

  /** True when something has waited for the reader over several heartbeats and none of it was taken. */
  #isStuck(): boolean {
    this.#stuckBeats = this.#response.writableNeedDrain && !this.#drained ? this.#stuckBeats + 1 : 0;
    this.#drained = false;
    return this.#stuckBeats >= MAX_STUCK_BEATS;
  }

  async #heartbeat(): Promise<void> {
    if (this.#isStuck()) return this.close();
    const alive = await this.#alive().catch(() => true); // a store that does not answer ends nobody's session
    if (!alive) return this.close();
    if (!this.open) return;
    this.#response.write(': beat\n\n');
    for (const listener of this.#beatListeners) listener();
  }
}

/** @param heartbeatMs for tests; proxies need no more than 15 s */
export function createEventStreams(heartbeatMs = HEARTBEAT_MS): EventStreams {
  const streams = new Set<Stream>();
  function assertRoom(workspaceId: string): void {
    let own = 0;
    for (const stream of streams) if (stream.workspaceId === workspaceId) own += 1;
    if (own < MAX_WORKSPACE_STREAMS && streams.size < MAX_STREAMS) return;
    throw new AppError('rate_limited', {
      detail: `${own < MAX_WORKSPACE_STREAMS ? MAX_STREAMS : MAX_WORKSPACE_STREAMS} live views are open already. Close one, or try again later.`,
      retryAfterSeconds: 5,
    });
  }
  return {
    assertRoom,
    open(response, options) {
      assertRoom(options.workspaceId);
      const stream = new Stream(response, options, heartbeatMs);
      streams.add(stream);
      stream.onClose(() => streams.delete(stream));
      return stream;
    },
    endOf(credential) {
      for (const stream of [...streams]) if (stream.credential === credential) stream.close();
    },
    endAll() {
      for (const stream of [...streams]) stream.close();
    },
  };
}
