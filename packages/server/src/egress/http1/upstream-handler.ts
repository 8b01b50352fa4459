import type { UpstreamRequest } from './request-head.ts';

/** One request on its way, as its sender steers it. After its end nothing here has any effect. */
export interface UpstreamController {
  /** Head of the answer, once it has come: flat list of name, value; order and case kept, one character a byte. */
  readonly rawHeaders: readonly string[];
  /** Nothing of the request is in memory any more: all of it has been handed to the system, or it has ended. */
  readonly written: boolean;
  /** Reads no further from the upstream; what was read already still arrives. */
  pause(): void;
  resume(): void;
  /** Ends the request and its connection. The handler gets `reason` before this returns. */
  abort(reason: Error): void;
}

/** Who sends a request and gets its answer. Exactly one of `onResponseEnd` and `onResponseError` is the last call. */
export interface UpstreamHandler {
  /** The request has been taken on and waits for a connection; it can be given up from here on. */
  onRequestQueued(controller: UpstreamController): void;
  /** It is written to a connection when this returns, unless it was aborted. */
  onRequestStart(controller: UpstreamController): void;
  /** A head has come, the interim ones (1xx) too. */
  onResponseStart(controller: UpstreamController, statusCode: number): void;
  /** @param bytes of the body, without its framing; they are not written over later */
  onResponseData(controller: UpstreamController, bytes: Buffer): void;
  onResponseEnd(controller: UpstreamController): void;
  onResponseError(controller: UpstreamController, error: Error): void;
}

/** Connections to one target. */
export interface Upstream {
  /**
   * Sends a request; what becomes of it the handler hears.
   * @throws UpstreamError when it cannot be sent as it is; then the handler hears nothing
   */
  send(request: UpstreamRequest, handler: UpstreamHandler): void;
  /** Requests that have not ended. */
  readonly running: number;
}
