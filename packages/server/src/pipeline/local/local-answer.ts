import type { Dispatcher } from 'undici';

/** An answer that the gate gives itself: nothing leaves the machine. */
export interface LocalAnswer {
  body: Buffer;
  /** Flat list of name, value. */
  headers: readonly string[];
}

/** Stands for the connection of an answer that comes from nowhere. */
class LocalController implements Dispatcher.DispatchController {
  readonly aborted = false;
  readonly paused = false;
  readonly reason = null;
  readonly rawHeaders: Buffer[];

  constructor(headers: readonly string[]) {
    this.rawHeaders = headers.map((text) => Buffer.from(text));
  }

  abort(): void {}
  pause(): void {}
  resume(): void {}
}

/** Gives the answer the way an upstream would, so that limits, headers and clients that leave are dealt with alike. */
export function answerLocally(handler: Dispatcher.DispatchHandler, { body, headers }: LocalAnswer): void {
  const controller = new LocalController([
    ...headers,
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
  ]);
  handler.onRequestStart?.(controller, null);
  handler.onResponseStart?.(controller, 200, {}, 'OK');
  handler.onResponseData?.(controller, body);
  handler.onResponseEnd?.(controller, {});
}
