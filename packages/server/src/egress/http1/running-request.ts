import { allowsNext, requestHead, type UpstreamRequest } from './request-head.ts';
import { asError } from './upstream-error.ts';
import type { UpstreamController, UpstreamHandler } from './upstream-handler.ts';

/** What a request is on: a connection, or one that is being opened. */
export interface Carrier {
  /** Nothing is left to be handed to the system. */
  readonly written: boolean;
  pause(): void;
  resume(): void;
  /** The request is given up. */
  drop(): void;
}

/** A request as it is written to its connection. */
interface Unsent {
  /** Checked and ready to be written. */
  head: string;
  body: Buffer | null;
}

const NO_HEADERS: readonly string[] = [];
const NOTHING: Unsent = { head: '', body: null };

/**
 * One request from when it is asked for to the last word about it. It outlives its place on a connection, so that a
 * sender who comes late reaches nobody else's request.
 */
export class RunningRequest implements UpstreamController {
  readonly handler: UpstreamHandler;
  /** Its answer has no body, whatever the head says. */
  readonly isHead: boolean;
  readonly allowsNext: boolean;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  rawHeaders: readonly string[] = NO_HEADERS;
  #unsent: Unsent;
  #carrier: Carrier | null = null;
  #ended = false;

  /** @throws UpstreamError when it cannot be sent as it is */
  constructor(request: UpstreamRequest, handler: UpstreamHandler, host: string) {
    this.#unsent = { head: requestHead(request, host), body: request.body };
    this.handler = handler;
    this.isHead = request.method === 'HEAD';
    this.allowsNext = allowsNext(request);
    this.headTimeoutMs = request.headTimeoutMs;
    this.bodyTimeoutMs = request.bodyTimeoutMs;
  }

  /** What there is to write. Only once: an answer may take minutes, and what was asked is not kept for so long. */
  takeUnsent(): Unsent {
    const unsent = this.#unsent;
    this.#unsent = NOTHING;
    return unsent;
  }

  /** Tells the handler that the head of an answer has come, interim or not; the headers are there for as long as that takes. */
  answered(status: number, rawHeaders: readonly string[]): void {
    this.rawHeaders = rawHeaders;
    this.handler.onResponseStart(this, status);
    this.rawHeaders = NO_HEADERS;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get written(): boolean {
    return this.#carrier === null ? this.#ended : this.#carrier.written;
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
