import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { AppError } from '../kernel/errors.ts';
import type { Listed } from '../kernel/live-list.ts';
import type { UsageMeter } from '../providers/provider.ts';
import { TAP_CONTENT, TAP_TERMINAL } from '../providers/shared/sse-tap.ts';
import { UsageChunkFilter } from '../providers/shared/withhold-usage-chunk.ts';
import { AnswerMeter } from './answer-meter.ts';
import type { Call } from './call.ts';
import { ABORTED, answerOutcome, DRAINED, failureOf, INTERRUPTED, type Outcome, REVOKED } from './outcome.ts';
import { addBudgetHeaders } from './stages/budget-headers.ts';
import { clientHeaders } from './stages/client-headers.ts';

/** What the exchange learns; the settle stage turns it into ledger rows. */
export interface ExchangeFacts {
  httpStatus: number | null;
  upstreamRequestId: string | null;
  dispatchedAtMs: number;
  firstByteAtMs: number | null;
  firstContentAtMs: number | null;
  endedAtMs: number;
  responseBytes: number;
  /** False when nothing of the request can have reached the upstream. */
  sent: boolean;
}

export interface ExchangeDeps {
  now(): number;
  /** Journals the outcome; `onSafe(null)` once it cannot be lost. Called at most once. */
  settle(
    call: Call,
    facts: ExchangeFacts,
    result: { outcome: Outcome; meter: UsageMeter | null },
    onSafe: (error: Error | null) => void,
  ): void;
  /** Answers an error in the client's dialect; only before anything was sent. */
  replyError(response: ServerResponse, call: Call, error: AppError): void;
  /** Called once when nothing of the exchange is left. */
  onClosed(exchange: Exchange): void;
  drain: { maxMs: number; maxBytes: number };
}

/**
 * One request on its way: the upstream's bytes to the client with back-pressure, a meter reading along, and the
 * rule that the last byte leaves only after the outcome is in the journal (CF-17). Whatever happens — the end, an
 * error, a client or an upstream that leaves, a stop of the server — it settles exactly once.
 */
export class Exchange implements Dispatcher.DispatchHandler, Listed {
  readonly call: Call;
  slot = -1;
  readonly #response: ServerResponse;
  readonly #deps: ExchangeDeps;
  readonly #facts: ExchangeFacts;
  readonly #usageMeter: UsageMeter | null;
  #controller: Dispatcher.DispatchController | null = null;
  #answer: AnswerMeter | null = null;
  #filter: UsageChunkFilter | null = null;
  /** Chunks of the current read, not looked at yet. */
  #arrived: Buffer[] = [];
  /** Body length the upstream announced, null when unknown. */
  #announcedBytes: number | null = null;
  /** Bytes that wait until the outcome is safe. */
  #held: Buffer[] = [];
  #settling = false;
  #safe = false;
  #upstreamEnded = false;
  #clientGone = false;
  #closed = false;
  #drainTimer: NodeJS.Timeout | null = null;
  #drainedBytes = 0;

  constructor(call: Call, response: ServerResponse, deps: ExchangeDeps) {
    this.call = call;
    this.#response = response;
    this.#deps = deps;
    this.#facts = {
      httpStatus: null,
      upstreamRequestId: null,
      dispatchedAtMs: deps.now(),
      firstByteAtMs: null,
      firstContentAtMs: null,
      endedAtMs: 0,
      responseBytes: 0,
      sent: false,
    };
    const { route, account } = call;
    this.#usageMeter = route.metered
      ? account.adapter.createMeter(route.flavor, { priceProvider: account.priceProvider })
      : null;
    response.on('close', this.#onClientClose);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone || this.#closed || this.#settling)
      controller.abort(new Error('client left before dispatch'));
    else this.#facts.sent = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, statusCode: number): void {
    if (statusCode < 200) return; // informational answers belong to the hop (RFC 9110 §15.2)
    const facts = this.#facts;
    facts.firstByteAtMs = this.#deps.now();
    facts.httpStatus = statusCode;
    const withhold = this.call.facts.injectIncludeUsage && statusCode < 300;
    const head = clientHeaders((controller.rawHeaders ?? []) as (Buffer | string)[], {
      requestIdHeader: this.call.account.adapter.requestIdHeader,
      dropLength: withhold,
    });
    facts.upstreamRequestId = head.upstreamRequestId;
    this.#announcedBytes = withhold ? null : head.contentLength;
    const sse = head.contentType.startsWith('text/event-stream');
    if (this.#usageMeter !== null && statusCode < 400) {
      this.#answer = new AnswerMeter(this.#usageMeter, { sse, encoding: head.contentEncoding });
      if (withhold && sse && head.contentEncoding === null) this.#filter = new UsageChunkFilter();
    }
    if (this.#clientGone) return;
    head.list.push('x-tallygate-request-id', this.call.id, 'x-content-type-options', 'nosniff');
    if (this.call.held !== null) addBudgetHeaders(head.list, this.call);
    this.#response.writeHead(statusCode, head.list);
    if (sse) setImmediate(this.#flushHead);
  }

  /** A stream's headers leave at once, unless its first event arrived in the same turn and takes them along. */
  #flushHead = (): void => {
    if (this.#facts.responseBytes === 0 && !this.#response.writableEnded && !this.#clientGone)
      this.#response.flushHeaders();
  };

  /**
   * Chunks that arrive in one read of the upstream's socket leave in one write: a burst of small events costs one
   * pass of metering and writing instead of one each. Nothing waits longer than the current callback.
   */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#arrived.push(chunk) === 1) process.nextTick(this.#takeArrived);
  }

  #takeArrived = (): void => {
    const arrived = this.#arrived;
    const first = arrived[0];
    if (first === undefined || this.#controller === null) return;
    this.#arrived = [];
    this.#take(this.#controller, arrived.length === 1 ? first : Buffer.concat(arrived));
  };

  #take(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#facts.responseBytes += chunk.length;
    const seen = this.#answer === null ? 0 : this.#answer.push(chunk);
    if ((seen & TAP_CONTENT) !== 0) this.#facts.firstContentAtMs = this.#deps.now();
    if (this.#clientGone) return this.#drain(chunk);
    const bytes = this.#filter === null ? chunk : this.#filter.push(chunk);
    if ((this.#settling && !this.#safe) || this.#isLast(seen)) return this.#hold(controller, bytes, seen);
    if (bytes.length > 0 && !this.#response.write(bytes)) {
      controller.pause();
      this.#response.once('drain', () => controller.resume());
    }
  }

  /** Keeps bytes back until the outcome is safe; the answer's terminal event settles it. */
  #hold(controller: Dispatcher.DispatchController, bytes: Buffer, seen: number): void {
    if (bytes.length > 0) this.#held.push(bytes);
    if (this.#settling)
      controller.pause(); // nothing more is needed until then
    else if ((seen & TAP_TERMINAL) !== 0) this.#settle(this.#answerOutcome());
  }

  /** Nobody reads the answer any more: it is followed, within a bound, for its usage only. */
  #drain(chunk: Buffer): void {
    this.#drainedBytes += chunk.length;
    if (this.#drainedBytes > this.#deps.drain.maxBytes) this.#abandon(ABORTED);
  }

  /** True when the client could take the answer for complete once it has this chunk. */
  #isLast(seen: number): boolean {
    if (this.#safe || this.#usageMeter === null) return false;
    if ((seen & TAP_TERMINAL) !== 0) return true;
    return this.#announcedBytes !== null && this.#facts.responseBytes >= this.#announcedBytes;
  }

  onResponseEnd(): void {
    this.#takeArrived();
    this.#upstreamEnded = true;
    const rest = this.#filter?.end();
    if (rest !== undefined && rest.length > 0) this.#held.push(rest);
    if (this.#safe) return this.#finish();
    if (this.#settling) return;
    if (this.#answer === null) return this.#settle(this.#endOutcome());
    this.#answer.finish(() => this.#settle(this.#endOutcome()));
  }

  #answerOutcome(): Outcome {
    return answerOutcome(this.#facts.httpStatus ?? 0, this.#usageMeter?.streamError() ?? null);
  }

  #endOutcome(): Outcome {
    const outcome = this.#answerOutcome();
    return this.#clientGone ? { ...DRAINED, complete: outcome.complete } : outcome;
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.failed(error);
  }

  /** The upstream failed, or could not be reached at all. */
  failed(error: unknown): void {
    if (this.#closed) return;
    this.#takeArrived();
    this.#upstreamEnded = true;
    if (this.#settling) {
      // The answer was already complete for the client; how the connection ended changes nothing.
      if (this.#safe) this.#finish();
      return;
    }
    if (this.#clientGone) return this.#settle(ABORTED);
    const failure = failureOf(error);
    this.#settle(failure.outcome, () => {
      if (this.#response.headersSent) this.#response.destroy();
      else this.#deps.replyError(this.#response, this.call, new AppError(failure.code));
    });
  }

  /** The client left before the request was dispatched. */
  clientLeft(): void {
    this.#clientGone = true;
    this.#settle(ABORTED);
  }

  #onClientClose = (): void => {
    if (this.#response.writableFinished || this.#closed) return this.#close();
    this.#clientGone = true;
    if (this.#settling) {
      if (!this.#upstreamEnded) this.#controller?.abort(new Error('client left'));
      if (this.#safe) this.#close();
      return;
    }
    if (this.call.key.disconnectPolicy === 'drain' && this.call.route.metered) {
      this.#controller?.resume(); // it may have been paused for the client that is gone
      this.#drainTimer = setTimeout(() => this.#abandon(ABORTED), this.#deps.drain.maxMs);
      return;
    }
    this.#abandon(ABORTED);
  };

  /** Stops the upstream and settles from what is known. */
  #abandon(outcome: Outcome): void {
    this.#settle(outcome);
    this.#controller?.abort(new Error(outcome.errorCode ?? 'abandoned'));
  }

  /** Ends an exchange that outlived the server's grace period. */
  interrupt(): void {
    if (this.#closed || this.#safe) return;
    this.#abandon(INTERRUPTED);
    this.#response.destroy();
  }

  /** Ends an exchange that may not go on. A client that has read nothing yet gets the error, any other a cut answer. */
  refuse(error: AppError): void {
    if (this.#closed || this.#safe) return;
    const outcome: Outcome = { ...INTERRUPTED, errorCode: error.code };
    if (this.#response.headersSent || this.#settling) {
      this.#abandon(outcome);
      this.#response.destroy();
      return;
    }
    this.#settle(outcome, () => this.#deps.replyError(this.#response, this.call, error));
    this.#controller?.abort(new Error(error.code));
  }

  /**
   * Ends an exchange whose key was revoked. The upstream is let go; the client gets 401, or, when its answer had
   * begun, a connection that breaks off. An answer that is complete and waits only for the journal is left alone.
   */
  revoke(): void {
    if (this.#closed || this.#settling) return;
    this.#takeArrived(); // what has come belongs to the client still, and may be the end
    if (this.#settling) return;
    this.#settle(REVOKED, () => {
      if (this.#response.headersSent) this.#response.destroy();
      else this.#deps.replyError(this.#response, this.call, new AppError('invalid_api_key'));
    });
    this.#controller?.abort(new Error('the key was revoked'));
  }

  #settle(outcome: Outcome, whenSafe: () => void = () => this.#finish()): void {
    if (this.#settling) return;
    this.#settling = true;
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    if (this.#usageMeter === null) {
      this.#safe = true;
      return whenSafe();
    }
    this.#facts.endedAtMs = this.#deps.now();
    this.#deps.settle(this.call, this.#facts, { outcome, meter: this.#usageMeter }, (error) => {
      this.#safe = true;
      if (this.#clientGone) return this.#close();
      if (error) {
        // Not recorded means not delivered: the client must not take the answer for complete.
        this.#controller?.abort(error);
        this.#response.destroy();
        return this.#close();
      }
      whenSafe();
    });
  }

  #finish(): void {
    const response = this.#response;
    if (this.#clientGone || response.writableEnded || response.destroyed) return this.#close();
    const held = this.#held;
    this.#held = [];
    const last = held.pop();
    for (const bytes of held) response.write(bytes);
    if (!this.#upstreamEnded) {
      if (last !== undefined) response.write(last);
      this.#controller?.resume();
      return;
    }
    if (last === undefined) response.end();
    else response.end(last);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    this.#response.off('close', this.#onClientClose);
    this.#deps.onClosed(this);
  }
}
