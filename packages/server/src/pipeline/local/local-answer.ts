import type { UpstreamController, UpstreamHandler } from '../../egress/http1/upstream-handler.ts';

/** An answer that the gate gives itself: nothing leaves the machine. */
export interface LocalAnswer {
  body: Buffer;
  /** Flat list of name, value. */
  headers: readonly string[];
}

/** Stands for the connection of an answer that comes from nowhere. */
class LocalController implements UpstreamController {
  readonly written = true;
  readonly rawHeaders: readonly string[];

  constructor(headers: readonly string[]) {
    this.rawHeaders = headers;
  }

  abort(): void {}
  pause(): void {}
  resume(): void {}
}

/** Gives the answer the way an upstream would, so that limits, headers and clients that leave are dealt with alike. */
export function answerLocally(handler: UpstreamHandler, { body, headers }: LocalAnswer): void {
  const controller = new LocalController([
    ...headers,
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
  ]);
  handler.onRequestQueued(controller);
  handler.onRequestStart(controller);
  handler.onResponseStart(controller, 200);
  handler.onResponseData(controller, body);
  handler.onResponseEnd(controller);
}
