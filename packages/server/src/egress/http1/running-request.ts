import { allowsNext, requestHead, type UpstreamRequest } from './request-head.ts';
import { asError } from './upstream-error.ts';
import type { UpstreamController, UpstreamHandler } from './upstream-handler.ts';

/** What a request is on: a connection, or one that is being opened. */
export interface Carrier {
  pause(): void;
  resume(): void;
  /** The request is given up. */
  drop(): void;
}

const NO_HEADERS: readonly string[] = [];

/**
 * One request from when it is asked for to the last word about it. It outlives its place on a connection, so that a
 * sender who comes late reaches nobody else's request.
 */
export class RunningRequest implements UpstreamController {
  /** Checked and ready to be written. */
  readonly head: string;
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  rawHeaders: readonly string[] = NO_HEADERS;
  #carrier: Carrier | null = null;
  #ended = false;

  /** @throws UpstreamError when it cannot be sent as it is */
  constructor(request: UpstreamRequest, handler: UpstreamHandler, host: string) {
    this.head = requestHead(request, host);
    this.request = request;
    this.handler = handler;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get allowsNext(): boolean {
    return allowsNext(this.request);
  }

  carriedBy(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  pause(): void {
    this.#carrier?.pause();
  }

  resume(): void {
    this.#carrier?.resume();
  }

  abort(reason: Error): void {
    const carrier = this.#carrier;
    if (!this.#end()) return;
    carrier?.drop();
    this.handler.onResponseError(this, reason);
  }

  /** The answer is whole. */
  complete(): void {
    if (!this.#end()) return;
    try {
      this.handler.onResponseEnd(this);
    } catch (error) {
      // A mistake of ours, which must not leave the sender waiting.
      this.handler.onResponseError(this, asError(error));
    }
  }

  fail(error: Error): void {
    if (this.#end()) this.handler.onResponseError(this, error);
  }

  /** @returns false when it had ended before */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#carrier = null;
    return true;
  }
}
