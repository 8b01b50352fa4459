import type { ServerResponse } from 'node:http';
import type { UpstreamController, UpstreamHandler } from '../egress/http1/upstream-handler.ts';
import { AppError } from '../kernel/errors.ts';
import type { Listed } from '../kernel/live-list.ts';
import type { UsageMeter } from '../providers/provider.ts';
import { TAP_CONTENT, TAP_TERMINAL } from '../providers/shared/sse-tap.ts';
import { AnswerDrain } from './answer-drain.ts';
import {
  type AnswerPath,
  clientBytes,
  ends,
  headList,
  lastBytes,
  NOTHING,
  openAnswer,
  opensHeld,
  unframed,
} from './answer-path.ts';
import type { AttemptFailure, Attempts, Hold } from './attempts.ts';
import { type Call, isFollowed, meterFor } from './call.ts';
import { boundTail, pauseForClient } from './client-stall.ts';
import type { ExchangeDeps } from './exchange-deps.ts';
import { type ExchangeFacts, startedFacts } from './exchange-facts.ts';
import { HeldHead, HOLD_MS, MAX_HELD_BYTES, waitMsWith, writeHeld } from './held-head.ts';
import {
  ABORTED,
  answerOutcome,
  CUT_UNSEEN,
  drained,
  failureOf,
  INTERRUPTED,
  mayRepeatStreamError,
  type Outcome,
  refusedUnseen,
  streamFailure,
  UNREADABLE,
  type UpstreamFailure,
} from './outcome.ts';
import { PendingMove } from './pending-move.ts';

/**
 * One request on its way: the upstream's bytes to the client with back-pressure, a meter reading along, and the
 * rule that the last byte leaves only after the outcome is in the journal (CF-17). Whatever happens — the end, an
 * error, a client or an upstream that leaves, a stop of the server — it settles exactly once.
 *
 * Until the first content the answer is held, for a bounded time: an attempt that fails before is given up for the
 * next one and the client sees none of it; after that an answer is never continued with another's bytes (CF-07).
 */
export class Exchange implements UpstreamHandler, Listed {
  readonly call: Call;
  slot = -1;
  readonly #response: ServerResponse;
  readonly #deps: ExchangeDeps;
  readonly #attempts: Attempts;
  #facts: ExchangeFacts;
  #usageMeter: UsageMeter | null = null;
  /** The head while the client has not seen it; the bytes that came with it are in `#held`. */
  #head: HeldHead | null = null;
  #holdUntil: Hold = 'none';
  /** Set while an attempt is being given up for an error inside its answer. */
  #givingUp: UpstreamFailure | null = null;
  readonly #move = new PendingMove();
  #controller: UpstreamController | null = null;
  #path: AnswerPath | null = null;
  /** Chunks of the current read, not looked at yet. */
  #arrived: Buffer[] = [];
  /** Bytes that wait until the outcome is safe. */
  #held: Buffer[] = [];
  #settling = false;
  #safe = false;
  #upstreamEnded = false;
  #clientGone = false;
  #closed = false;
  /** Set when the client has left an answer that is read to its end. */
  #drain: AnswerDrain | null = null;

  constructor(attempts: Attempts, response: ServerResponse, deps: ExchangeDeps) {
    this.call = attempts.call;
    this.#attempts = attempts;
    this.#response = response;
    this.#deps = deps;
    this.#facts = startedFacts(0);
    this.#usageMeter = meterFor(this.call); // settles even when no attempt was made
    response.on('close', this.#onClientClose);
  }

  /** Dispatches an attempt, the first one or the next. */
  begin(): void {
    if (this.#settling || this.#closed) return;
    this.#facts = startedFacts(this.#deps.now());
    this.#usageMeter = meterFor(this.call);
    this.#attempts.begin();
    this.#deps.send(this);
  }

  /** Gives up an attempt of which the client has seen nothing; `otherwise` when there is no other to make. */
  #again(failure: AttemptFailure, otherwise: () => void): void {
    if (this.#clientGone || this.#settling) return otherwise();
    const moved = this.#attempts.next(failure, this.#facts, () => this.begin());
    this.#move.follow(moved, () => this.#reset(), otherwise);
  }

  /** Nothing is left of the attempt that was given up. */
  #reset(): void {
    this.#forgetHeld();
    this.#givingUp = null;
    this.#controller = null;
    this.#path = null;
    this.#arrived = [];
    this.#upstreamEnded = false;
  }

  #forgetHeld(): void {
    this.#head?.drop();
    this.#head = null;
    this.#held = [];
  }

  onRequestQueued(controller: UpstreamController): void {
    this.#controller = controller;
  }

  onRequestStart(controller: UpstreamController): void {
    if (this.#clientGone || this.#closed || this.#settling)
      controller.abort(new Error('client left before dispatch'));
    else this.#facts.sent = true;
  }

  onResponseStart(controller: UpstreamController, statusCode: number): void {
    if (statusCode < 200) return; // informational answers belong to the hop (RFC 9110 §15.2)
    const facts = this.#facts;
    facts.firstByteAtMs = this.#deps.now();
    facts.httpStatus = statusCode;
    const { path, head } = openAnswer(this.call, this.#usageMeter, statusCode, controller.rawHeaders);
    facts.upstreamRequestId = head.upstreamRequestId;
    const refused = this.#attempts.answered(statusCode, head.limits);
    this.#path = path;
    if (this.#clientGone) return;
    if (path.unreadable) return this.#endAttempt(UNREADABLE);
    this.#head = new HeldHead(statusCode, headList(this.call, head, this.#deps.tellLimits));
    this.#holdUntil = this.#attempts.hold();
    if (!refused && !opensHeld(path, head, this.#holdUntil, this.call.facts.stream)) this.#release();
    if (path.sse && path.transform?.whole !== true) setImmediate(() => this.#flushHead());
  }

  /** Ends an attempt whose answer cannot go to the client; `failed` decides what follows. */
  #endAttempt(failure: UpstreamFailure): void {
    this.#givingUp = failure;
    this.#controller?.abort(new Error('the answer was given up'));
  }

  /** The client gets the head, and with it what was held, unless that includes the last bytes: those wait for the journal. */
  #release(): void {
    const head = this.#head;
    if (head === null || this.#move.pending || this.#clientGone || this.#response.headersSent) return;
    this.#head = null;
    head.write(this.#response, head.status < 429 ? null : this.#attempts.retryAfterSeconds());
    this.#attempts.committed(this.#facts, this.#controller?.written === true);
    if (this.#settling || this.#upstreamEnded) return;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#response.write(bytes);
  }

  /** A stream's headers leave at once, unless its first event arrived in the same turn and takes them along. */
  #flushHead(): void {
    if (this.#head !== null) return this.#head.boundWait(() => this.#release(), HOLD_MS);
    const { headersSent, writableEnded } = this.#response;
    if (this.#facts.responseBytes === 0 && headersSent && !writableEnded && !this.#clientGone)
      this.#response.flushHeaders();
  }

  /** Chunks of one read of the upstream's socket leave in one write: a burst of small events costs one pass. */
  onResponseData(_controller: UpstreamController, chunk: Buffer): void {
    if (this.#arrived.push(chunk) === 1) process.nextTick(Exchange.#takeAll, this);
  }

  static readonly #takeAll = (exchange: Exchange): void => exchange.#takeArrived();

  #takeArrived(ended = false): void {
    const arrived = this.#arrived;
    if ((arrived.length === 0 && !ended) || this.#controller === null) return;
    this.#arrived = [];
    try {
      const chunk = unframed(this.#path, arrived, ended);
      if (chunk === null) return this.#endAttempt(UNREADABLE);
      if (chunk.length > 0) this.#take(this.#controller, chunk);
    } catch {
      this.#endAttempt(UNREADABLE); // a mistake of ours in reading it ends this answer, and not the process
    }
  }

  #take(controller: UpstreamController, chunk: Buffer): void {
    this.#facts.responseBytes += chunk.length;
    const seen = this.#path?.meter?.push(chunk) ?? 0;
    if ((seen & TAP_CONTENT) !== 0) this.#facts.firstContentAtMs = this.#deps.now();
    if (this.#clientGone) return this.#drain?.take(chunk.length);
    if (this.#givingUp !== null) return;
    const bytes = clientBytes(this.#path, chunk);
    if (bytes === null) return this.#endAttempt(UNREADABLE);
    if (this.#head !== null && this.#waits(this.#head, bytes, seen)) return;
    if ((this.#settling && !this.#safe) || this.#isLast(seen)) return this.#hold(controller, bytes, seen);
    if (bytes.length > 0 && !this.#response.write(bytes))
      pauseForClient(this.#response, controller, this.#deps.clientStallMs);
  }

  /** Holds bytes that came before the first content; false once the answer is on its way to the client. */
  #waits(head: HeldHead, bytes: Buffer, seen: number): boolean {
    const error = head.status < 400 ? (this.#usageMeter?.streamError() ?? null) : null;
    const content = (seen & TAP_CONTENT) !== 0;
    if (error !== null && !content && mayRepeatStreamError(error) && this.#attempts.mayGoOn()) {
      this.#endAttempt(streamFailure(error));
      return true;
    }
    if (this.#path?.transform?.whole === true) return true;
    const opened = content || error !== null || (this.#holdUntil === 'first-events' && bytes.length > 0);
    const enough = head.status < 400 && (opened || this.#isLast(seen));
    if (enough || this.#facts.responseBytes > MAX_HELD_BYTES) {
      this.#release();
      return false;
    }
    if (head.status < 400) head.boundWait(() => this.#release(), waitMsWith(bytes));
    if (bytes.length > 0) this.#held.push(bytes);
    return true;
  }

  /** Keeps bytes back until the outcome is safe; the answer's terminal event settles it, and no more is needed till then. */
  #hold(controller: UpstreamController, bytes: Buffer, seen: number): void {
    if (bytes.length > 0) this.#held.push(bytes);
    if (this.#settling) controller.pause();
    else if ((seen & TAP_TERMINAL) !== 0) this.#settle(this.#answerOutcome());
  }

  /** The client could take the answer for complete once it has this chunk. */
  #isLast(seen: number): boolean {
    return !this.#safe && this.#usageMeter !== null && ends(this.#path, seen, this.#facts.responseBytes);
  }

  onResponseEnd(): void {
    this.#takeArrived(true);
    this.#upstreamEnded = true;
    if (this.#givingUp !== null) return this.failed(this.#givingUp);
    if (this.#head !== null && !this.#clientGone) {
      const failure = this.#failedUnseen(this.#head.status);
      if (failure !== null) return this.#again(failure, () => this.#deliver());
    }
    this.#deliver();
  }

  /** What the upstream said is the answer. */
  #deliver(): void {
    const rest = this.#clientGone ? NOTHING : lastBytes(this.#path, this.#head?.list ?? null);
    if (rest === null) return this.failed(UNREADABLE);
    if (rest.length > 0) this.#held.push(rest);
    this.#release();
    if (this.#safe) return this.#finish();
    if (this.#settling) return;
    const meter = this.#path?.meter ?? null;
    if (meter === null) return this.#settle(this.#endOutcome());
    meter.finish(() => this.#settle(this.#endOutcome()));
  }

  #failedUnseen(status: number): AttemptFailure | null {
    if (status >= 400)
      return refusedUnseen(this.#answerOutcome(), this.#path?.transform?.received() ?? this.#held);
    const meter = this.#path?.meter?.sse ? this.#usageMeter : null;
    return meter !== null && meter.markers.terminal.length > 0 ? CUT_UNSEEN : null;
  }

  #answerOutcome(): Outcome {
    return answerOutcome(this.#facts.httpStatus ?? 0, this.#usageMeter?.streamError() ?? null);
  }

  #endOutcome(): Outcome {
    return this.#clientGone ? drained(this.#answerOutcome()) : this.#answerOutcome();
  }

  onResponseError(_controller: UpstreamController, error: Error): void {
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
    const failure = this.#givingUp ?? failureOf(error);
    if (this.#response.headersSent) this.#giveUp(failure, false);
    else this.#again(failure, () => this.#giveUp(failure, true));
  }

  #giveUp(failure: UpstreamFailure, unseen: boolean): void {
    if (unseen) this.#forgetHeld();
    else this.#attempts.broke(this.#facts);
    this.#settle(failure.outcome, () => this.#tell(new AppError(failure.code)));
  }

  /** The client gets the error, or, when its answer has begun, a connection that breaks off. */
  #tell(error: AppError): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#deps.replyError(this.#response, this.call, error);
  }

  /** The client left before the request was dispatched. */
  clientLeft(): void {
    this.#clientGone = true;
    this.#settle(ABORTED);
  }

  #onClientClose = (): void => {
    if (this.#response.writableFinished || this.#closed) return this.#close();
    this.#clientGone = true;
    if (this.#move.waits(() => this.#abandon(ABORTED))) return;
    if (this.#settling) {
      if (!this.#upstreamEnded) this.#controller?.abort(new Error('client left'));
      if (this.#safe) this.#close();
      return;
    }
    if (isFollowed(this.call, this.#facts.httpStatus)) {
      this.#controller?.resume(); // it may have been paused for the client that is gone
      this.#drain = new AnswerDrain(this.#deps.drain, () => this.#abandon(ABORTED));
      return;
    }
    this.#abandon(ABORTED);
  };

  /** Stops the upstream and settles from what is known. */
  #abandon(outcome: Outcome): void {
    this.#settle(outcome);
    this.#controller?.abort(new Error(outcome.errorCode ?? 'abandoned'));
  }

  /** Ends an exchange that outlived the server's grace period. One that nobody waits for was cut by its client. */
  interrupt(): void {
    if (this.#closed || this.#safe || this.#move.waits(() => this.interrupt())) return;
    this.#abandon(this.#clientGone ? ABORTED : INTERRUPTED);
    this.#response.destroy();
  }

  /**
   * Ends an exchange that may not go on: its key was revoked, or traffic was paused. The upstream is let go. An answer
   * that is complete and waits only for the journal is left alone.
   */
  refuse(error: AppError, outcome: Outcome): void {
    if (this.#closed || this.#settling || this.#move.waits(() => this.refuse(error, outcome))) return;
    if (!this.#response.headersSent) this.#forgetHeld();
    this.#settle(outcome, () => this.#tell(error));
    this.#controller?.abort(new Error(error.code));
  }

  #settle(outcome: Outcome, whenSafe: () => void = () => this.#finish()): void {
    if (this.#settling) return;
    this.#settling = true;
    this.#attempts.cancel();
    this.#drain?.stop();
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
    if (this.#clientGone || response.writableEnded) return this.#close();
    writeHeld(response, this.#held, this.#upstreamEnded);
    this.#held = [];
    if (!this.#upstreamEnded) this.#controller?.resume();
    else boundTail(response, this.#deps.clientStallMs);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attempts.cancel();
    this.#attempts.ended();
    this.#head?.drop();
    this.#drain?.stop();
    this.#response.off('close', this.#onClientClose);
    this.#deps.onClosed(this);
  }
}
