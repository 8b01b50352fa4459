import type { Socket } from 'node:net';
import type { Timers } from '../../kernel/timers.ts';
import type { AnswerHead } from './answer-head.ts';
import { type AnswerEvents, AnswerParser } from './answer-parser.ts';
import { Deadline } from './deadline.ts';
import type { Carrier, RunningRequest } from './running-request.ts';
import { asError, UpstreamError } from './upstream-error.ts';

/** Who keeps connections. */
export interface ConnectionOwner {
  /** The connection is free for another request. */
  onFree(connection: UpstreamConnection): void;
  /** Nothing is left of it. */
  onGone(connection: UpstreamConnection): void;
}

const KEEP_ALIVE_MS = 30_000;
const MAX_KEEP_ALIVE_MS = 600_000;
/** An upstream may close at the very time it named, and a request then meets the end of the connection. */
const KEEP_ALIVE_MARGIN_MS = 2_000;
/** Up to this size a body goes out in one piece with its head: copying costs less than a second write. */
const MAX_JOINED_BYTES = 16 * 1024;

/** One socket to an upstream. It carries one request at a time, and between them waits for nothing but its end. */
export class UpstreamConnection implements AnswerEvents, Carrier {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #parser: AnswerParser;
  readonly #deadline: Deadline;
  #request: RunningRequest | null = null;
  #headSeen = false;
  #paused = false;
  #keepAliveMs = KEEP_ALIVE_MS;

  /** @param socket connected and checked */
  constructor(socket: Socket, owner: ConnectionOwner, timers: Timers) {
    this.#socket = socket;
    this.#owner = owner;
    this.#parser = new AnswerParser(this);
    this.#deadline = new Deadline(timers, this.#onDeadline);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get usable(): boolean {
    return !this.#socket.destroyed;
  }

  get written(): boolean {
    return this.#socket.writableLength === 0;
  }

  get busy(): boolean {
    return this.#request !== null;
  }

  /** Sends a request. Only on a connection that is usable and not busy. */
  start(request: RunningRequest): void {
    this.#request = request;
    this.#headSeen = false;
    request.carriedBy(this);
    try {
      request.handler.onRequestStart(request);
    } catch (error) {
      return this.#fail(asError(error));
    }
    if (request.ended) return; // it was aborted just now
    this.#parser.begin(request.isHead);
    this.#deadline.set(request.headTimeoutMs);
    const { head, body } = request.takeUnsent();
    this.#write(head, body);
  }

  /** Nobody needs the connection any more, or it must not be used again. */
  destroy(error?: Error): void {
    if (error === undefined) this.#release();
    else this.#fail(error);
    this.#socket.destroy();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#deadline.clear(); // it is not the upstream that is slow
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#request === null) return;
    this.#paused = false;
    this.#deadline.set(this.#silenceMs(this.#request));
    this.#socket.resume();
  }

  drop(): void {
    this.destroy();
  }

  onHead({ status, rawHeaders, keepAliveTimeoutMs }: AnswerHead): void {
    const request = this.#request;
    if (request === null) return;
    if (status >= 200) {
      this.#headSeen = true;
      this.#keepAliveMs =
        keepAliveTimeoutMs === null
          ? KEEP_ALIVE_MS
          : Math.min(keepAliveTimeoutMs - KEEP_ALIVE_MARGIN_MS, MAX_KEEP_ALIVE_MS);
    }
    this.#deadline.set(this.#silenceMs(request));
    request.answered(status, rawHeaders);
  }

  onBody(bytes: Buffer): void {
    const request = this.#request;
    request?.handler.onResponseData(request, bytes);
  }

  onEnd(reusable: boolean): void {
    const request = this.#release();
    // With a part of the request still to be sent, the upstream has answered without reading it and may close.
    const again = reusable && request?.allowsNext === true && this.written && this.#keepAliveMs > 0;
    if (again) {
      if (this.#paused) this.#socket.resume();
      this.#paused = false;
      this.#deadline.set(this.#keepAliveMs);
      this.#owner.onFree(this);
    } else this.#socket.destroy();
    request?.complete();
  }

  /** How long the upstream may say nothing at this point. */
  #silenceMs(request: RunningRequest): number {
    return this.#headSeen ? request.bodyTimeoutMs : request.headTimeoutMs;
  }

  #write(head: string, body: Buffer | null): void {
    const socket = this.#socket;
    if (body === null || body.length === 0) {
      socket.write(head, 'latin1');
    } else if (body.length <= MAX_JOINED_BYTES) {
      const bytes = Buffer.allocUnsafe(head.length + body.length);
      bytes.write(head, 'latin1');
      body.copy(bytes, head.length);
      socket.write(bytes);
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  #onData = (bytes: Buffer): void => {
    const request = this.#request;
    // Nobody asked: what comes now could only be taken for the answer to the next request.
    if (request === null || !this.#parser.expects) return this.destroy();
    if (this.#headSeen && !this.#paused) this.#deadline.set(request.bodyTimeoutMs);
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#fail(asError(error));
    }
  };

  #onEnd = (): void => {
    if (this.#request === null) return this.destroy();
    try {
      this.#parser.finish();
    } catch (error) {
      this.#fail(asError(error));
    }
  };

  #onError = (error: Error): void => this.#fail(error);

  #onClose = (): void => {
    this.#fail(new UpstreamError('HTTP_CONNECTION_CLOSED', 'The connection to the upstream broke off.'));
    this.#deadline.stop();
    this.#owner.onGone(this);
  };

  #onDeadline = (): void => {
    if (this.#request === null) return this.destroy(); // unused for long enough
    this.#fail(
      this.#headSeen
        ? new UpstreamError('HTTP_BODY_TIMEOUT', 'The upstream fell silent in the middle of its answer.')
        : new UpstreamError('HTTP_HEAD_TIMEOUT', 'The upstream did not begin its answer in time.'),
    );
  };

  #fail(error: Error): void {
    const request = this.#release();
    this.#socket.destroy();
    request?.fail(error);
  }

  /** The connection has no request any more. */
  #release(): RunningRequest | null {
    const request = this.#request;
    this.#request = null;
    this.#parser.stop();
    this.#deadline.clear();
    return request;
  }
}
