import type { Dispatcher } from 'undici';

/** A call of the gate's own, for which the whole answer is collected. */
export interface SmallCall {
  path: string;
  method: 'GET' | 'POST';
  /** Flat list of name, value. */
  headers: readonly string[];
  body: string | null;
  /** For the whole answer, not only for its silences: one that trickles would otherwise never end. */
  deadlineMs: number;
  maxBytes: number;
}

export interface SmallAnswer {
  status: number;
  body: Buffer;
}

/** Why an answer was given up; the message is shown. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

/** Collects an answer within a bound of time and bytes. */
class Collect implements Dispatcher.DispatchHandler {
  #status = 0;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #call: SmallCall;
  readonly #result: PromiseWithResolvers<SmallAnswer>;
  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | null = null;
  #gaveUp: GaveUp | null = null;

  constructor(call: SmallCall, result: PromiseWithResolvers<SmallAnswer>) {
    this.#call = call;
    this.#result = result;
    this.#deadline = setTimeout(() => this.#giveUp('The upstream did not answer in time.'), call.deadlineMs);
  }

  #giveUp(why: string): void {
    const error = new GaveUp(why);
    this.#gaveUp = error;
    this.#controller?.abort(error);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    clearTimeout(this.#deadline);
    this.#result.reject(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The connection came too late: what the caller holds for failed must not be done all the same.
    if (this.#gaveUp !== null) controller.abort(this.#gaveUp);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#call.maxBytes)
      this.#giveUp(`The upstream's answer is larger than ${this.#call.maxBytes} bytes.`);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#deadline);
    this.#result.resolve({ status: this.#status, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }
}

/**
 * Makes a small call over guarded connections. Redirects are never followed.
 * @throws GaveUp, or the connection's error
 */
export function fetchSmall(connections: Dispatcher, call: SmallCall): Promise<SmallAnswer> {
  const result = Promise.withResolvers<SmallAnswer>();
  connections.dispatch(
    {
      path: call.path,
      method: call.method,
      headers: [...call.headers],
      body: call.body,
      headersTimeout: call.deadlineMs,
      bodyTimeout: call.deadlineMs,
    },
    new Collect(call, result),
  );
  return result.promise;
}

/** The body as JSON; null when it is none. */
export function jsonOf({ body }: SmallAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return null; // some servers answer errors with HTML; the status says enough
  }
}
