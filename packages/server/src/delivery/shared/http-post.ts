import type { Dispatcher } from 'undici';
import { AppError } from '../../kernel/errors.ts';
import type { DeliveryTools, SendResult } from '../channel-adapter.ts';

/** For the whole exchange, not only for its silences. */
const DEADLINE_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface HttpPost {
  url: string;
  headers?: Readonly<Record<string, string>>;
  body: string;
  allowPrivate: boolean;
  /** Default 15 seconds. */
  deadlineMs?: number;
}

/** Seconds or a date, as RFC 9110 has it; bounded, because the receiver may be wrong. */
function retryAfterMs(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}

function inWords(status: number): string {
  if (status < 300) return `The receiver took it (HTTP ${status}).`;
  if (status < 400) return `The receiver answered with a redirect (HTTP ${status}), which is never followed.`;
  return `The receiver answered HTTP ${status}.`;
}

/** Why nothing came back, in words that quote neither the address nor the body. */
export function failureInWords(error: unknown): string {
  if (error instanceof AppError) return error.message;
  if (error instanceof Error && error.name === 'DeadlineError') return error.message;
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return `The receiver could not be reached${typeof code === 'string' ? ` (${code})` : ''}.`;
}

class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

interface Answer {
  status: number;
  retryAfter?: string;
}
interface Settle {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Waits for the status; the answer's body is read within bounds and dropped. */
class StatusOnly implements Dispatcher.DispatchHandler {
  #status = 0;
  #retryAfter: string | undefined;
  #bytes = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  readonly #deadline: NodeJS.Timeout;
  readonly #settle: Settle;

  constructor(settle: Settle, deadlineMs: number) {
    this.#settle = settle;
    this.#deadline = setTimeout(() => {
      this.#fail(new DeadlineError('The receiver did not answer in time.'));
    }, deadlineMs);
  }

  #end(): boolean {
    clearTimeout(this.#deadline);
    const first = !this.#over;
    this.#over = true;
    return first;
  }

  #fail(error: Error): void {
    if (!this.#end()) return;
    this.#settle.reject(error);
    this.#controller?.abort(error);
  }

  #answer(): void {
    if (!this.#end()) return;
    const retryAfter = this.#retryAfter;
    this.#settle.resolve({ status: this.#status, ...(retryAfter === undefined ? {} : { retryAfter }) });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The connection came too late: a delivery that was given up is made again, and must not arrive twice.
    if (this.#over) controller.abort(new DeadlineError('The receiver did not answer in time.'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = statusCode;
    const value = headers['retry-after'];
    this.#retryAfter = typeof value === 'string' ? value : undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) return;
    this.#answer(); // the status says enough
    controller.abort(new DeadlineError('The receiver’s answer is too long.'));
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }
}

/** Posts JSON through the egress guard. Never rejects. */
export async function httpPost(post: HttpPost, tools: DeliveryTools): Promise<SendResult> {
  try {
    const url = new URL(post.url);
    const connections = tools.egress.connections({ origin: url.origin, allowPrivate: post.allowPrivate });
    const deadlineMs = post.deadlineMs ?? DEADLINE_MS;
    const { status, retryAfter } = await new Promise<Answer>((resolve, reject) => {
      connections.dispatch(
        {
          path: `${url.pathname}${url.search}`,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'Tallygate', ...post.headers },
          body: post.body,
          headersTimeout: deadlineMs,
          bodyTimeout: deadlineMs,
        },
        new StatusOnly({ resolve, reject }, deadlineMs),
      );
    });
    const ok = status >= 200 && status < 300;
    return {
      ok,
      status,
      message: inWords(status),
      retryAfterMs: retryAfterMs(retryAfter, tools.clock.now()),
    };
  } catch (error) {
    return { ok: false, status: null, message: failureInWords(error), retryAfterMs: null };
  }
}
