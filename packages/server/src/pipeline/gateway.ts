import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Egress } from '../egress/egress.ts';
import { ENTRY_OPENED, type JournalWriter } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { encodeOpened } from '../ledger/journal-entries.ts';
import type { JointAdmission } from '../limits/joint-admission.ts';
import type { Admission } from '../limits/limit-state.ts';
import type { RateAdmission } from '../limits/rate-state.ts';
import type { AccountPool } from '../pool/account-pool.ts';
import type { Dialect, ErrorRenderer, LimitHeaderWriter, RequestFacts } from '../providers/provider.ts';
import { createAim, firstAccount } from './aim.ts';
import { type AttemptDeps, Attempts, type RetryPolicy } from './attempts.ts';
import { BodyPlace, BodyRoom } from './body-room.ts';
import { type Call, type DataRoute, type Given, NO_BODY, newCall, openEvent } from './call.ts';
import { createErrorReply, type ErrorReply } from './error-reply.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeDeps, SentExchange } from './exchange-deps.ts';
import { type ModelLists, onceListed } from './local/model-lists.ts';
import type { GatewayMetrics } from './metrics.ts';
import { PAUSED, REVOKED } from './outcome.ts';
import { credentialInQuery } from './request-target.ts';
import { RunningRequests } from './running-requests.ts';
import { sendCall } from './send-call.ts';
import { type SnapshotHolder, stillKnown } from './snapshot.ts';
import { admit, giveBack, move } from './stages/admit.ts';
import { authenticate } from './stages/authenticate.ts';
import { addBudgetHeaders } from './stages/budget-headers.ts';
import { applyBound } from './stages/conservative.ts';
import { judgeBody } from './stages/judge-body.ts';
import { addLimitHeaders, limitHeaders } from './stages/limit-headers.ts';
import { readBody } from './stages/read-body.ts';
import type { Recounting } from './stages/recount.ts';
import { requestTags } from './stages/request-tags.ts';
import { createSettle } from './stages/settle.ts';
import { understand } from './stages/understand.ts';
import type { TrafficWatch } from './traffic-watch.ts';
import type { TranslateDeps } from './translation/translate-request.ts';

export interface GatewayLimits {
  maxBodyBytes: number;
  /** Of all requests together; less than one of the largest means that one. */
  maxBodiesBytes: number;
  firstByteTimeoutMs: number;
  idleTimeoutMs: number;
  drainMaxMs: number;
  drainMaxBytes: number;
}

export interface GatewayDeps {
  snapshot: SnapshotHolder;
  journal: Pick<JournalWriter, 'append' | 'accepting'>;
  egress: Egress;
  renderers: Readonly<Record<Dialect, ErrorRenderer>>;
  metrics: GatewayMetrics;
  budgets: Admission;
  rates: RateAdmission;
  /** Decides for budgets and limits at once; null where asking one after the other costs nothing. */
  joint: JointAdmission | null;
  /** How limits are told to clients of each dialect. */
  limitHeaders: Readonly<Record<Dialect, LimitHeaderWriter | null>>;
  /** What the names of headers begin with that tell clients of a dialect how full their budgets are. */
  utilisationPrefixes: Readonly<Record<Dialect, string | null>>;
  clock: Clock;
  newId: IdSource;
  logger: Logger;
  watch: TrafficWatch;
  /** Address of the client, behind proxies that are trusted; null when it is gone. */
  addressOf(request: IncomingMessage): string | null;
  limits: GatewayLimits;
  pool: AccountPool;
  retry: RetryPolicy;
  /** From 0 to 1, for jitter. */
  random(): number;
  translation: TranslateDeps;
  modelLists: ModelLists;
  /** What a request comes to by the provider's own count, near the cap of a budget. */
  recounting: Recounting;
}

export interface Gateway {
  /** Serves one request of a data route, to its end. */
  handle(request: IncomingMessage, response: ServerResponse, route: DataRoute): void;
  /** Refuses a request in the given dialect. */
  refuse(request: IncomingMessage, response: ServerResponse, dialect: Dialect, error: AppError): void;
  /** Ends what is on its way with this key: it was revoked, or its secret replaced without overlap. */
  endKey(keyId: string): void;
  /** Ends what may not go on by the snapshot of now: its key is gone, or all traffic is paused. */
  endForbidden(): void;
  /** Requests on their way. */
  inFlight(): number;
  /** Ends every running request, because the operator paused all traffic. Returns how many. */
  refuseRunning(): number;
  /** True while a request that started before this time is on its way. */
  runningFromBefore(timeMs: number): boolean;
  /** Refuses new requests, lets running ones finish within the bound, then interrupts and settles the rest. */
  stop(graceMs: number): Promise<{ interrupted: number }>;
}

const NO_ADDRESS = (): null => null;
/** How long the rest of a refused body may take to arrive. */
const DISCARD_MS = 5_000;
const NO_FACTS: RequestFacts = {
  model: null,
  stream: false,
  sessionId: null,
  affinity: null,
  injectIncludeUsage: false,
};

/** The path of one proxied request; the order of the stages is the architecture (docs: "The life of one request"). */
class GatewayServer implements Gateway {
  readonly #deps: GatewayDeps;
  readonly #exchangeDeps: ExchangeDeps;
  readonly #attemptDeps: AttemptDeps;
  readonly #reply: ErrorReply;
  readonly #running = new RunningRequests();
  readonly #bodyBound: { maxBytes: number; room: BodyRoom };

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { maxBodyBytes, maxBodiesBytes } = deps.limits;
    const room = new BodyRoom(Math.max(maxBodyBytes, maxBodiesBytes));
    this.#bodyBound = { maxBytes: maxBodyBytes, room };
    this.#reply = createErrorReply(deps.renderers, deps.metrics);
    const { pool, retry, clock, random } = deps;
    this.#attemptDeps = {
      pool,
      retry,
      clock,
      random,
      aim: createAim(deps.translation),
      moveHold: (call) => move(deps, call),
    };
    this.#exchangeDeps = {
      send: (exchange) => this.#send(exchange),
      now: () => deps.clock.now(),
      settle: createSettle(deps),
      tellLimits: (list, call) => this.#tellLimits(list, call),
      replyError: (response, call, error) => {
        deps.watch.refused(error, null);
        this.#reply(response, { dialect: call.route.dialect, requestId: call.id }, error);
      },
      onClosed: (exchange) => this.#closed(exchange),
      drain: { maxMs: deps.limits.drainMaxMs, maxBytes: deps.limits.drainMaxBytes },
      clientStallMs: deps.limits.idleTimeoutMs,
    };
  }

  inFlight(): number {
    return this.#running.size;
  }

  runningFromBefore(timeMs: number): boolean {
    return this.#running.startedBefore(timeMs);
  }

  refuse(request: IncomingMessage, response: ServerResponse, dialect: Dialect, error: AppError): void {
    this.#discardRest(request);
    this.#reply(response, { dialect, requestId: this.#deps.newId() }, error);
  }

  handle(request: IncomingMessage, response: ServerResponse, route: DataRoute): void {
    const { clock, snapshot } = this.#deps;
    const startedAtMs = clock.now();
    const startedMonotonicMs = clock.monotonicMs();
    const id = this.#deps.newId();
    const fail = (error: unknown): void => this.#fail(request, response, { route, id }, error);
    try {
      if (this.#running.stopping) throw new AppError('shutting_down');
      const current = snapshot.current();
      if (current.paused) throw new AppError('traffic_paused');
      const { headers } = request;
      const key = authenticate(current, {
        headers,
        inQuery: credentialInQuery(request, route),
        address: () => this.#deps.addressOf(request),
        scope: 'gateway',
        nowMs: startedAtMs,
      });
      this.#deps.watch.keyUsed(key.id, request);
      const tags = requestTags(headers);
      const given: Given = {
        ...{ id, route, key, tags, snapshot: current, startedAtMs, startedMonotonicMs },
        ...{ routing: null, sent: NO_BODY, place: null, facts: NO_FACTS },
      };
      if (request.method !== 'POST') {
        const begin = () => this.#begin(request, response, given);
        return onceListed(this.#deps.modelLists, given, { begin, fail });
      }
      readBody(request, this.#bodyBound, (error, body) => {
        if (error) return fail(error);
        if (body === null) return; // the client left while sending: nothing happened yet
        given.place = this.#placeUntilEnd(response, body.length);
        try {
          const { sent, facts } = understand(request, route, body);
          given.sent = sent;
          given.facts = facts;
          this.#begin(request, response, given);
        } catch (thrown) {
          fail(thrown);
        }
      });
    } catch (error) {
      fail(error);
    }
  }

  // Functions share all that any function beside them needs. What stays until the end of an answer is made apart from
  // where there is a body, or the body would stay as long.

  #addressLater(request: IncomingMessage): () => string | null {
    return () => this.#deps.addressOf(request);
  }

  #placeUntilEnd(response: ServerResponse, bytes: number): BodyPlace {
    const place = new BodyPlace(this.#bodyBound.room, bytes);
    response.once('close', () => place.give());
    return place;
  }

  /** Chooses the account, opens the request in the journal, dispatches it. */
  #begin(request: IncomingMessage, response: ServerResponse, given: Given): void {
    const { budgets, rates, pool } = this.#deps;
    if (this.#running.stopping) throw new AppError('shutting_down'); // its body arrived after the stop began
    this.#assertKeyGood(given);
    const ruled = judgeBody(given, request.headers, { budgets, rates });
    const { known, pick } = firstAccount(pool, ruled, ruled.startedAtMs);
    const aim = this.#attemptDeps.aim(request, known, pick.account);
    const address = rates.active ? this.#addressLater(request) : NO_ADDRESS;
    const call = newCall(known, aim, { chosenBy: pick.chosenBy, address });
    if (known.route.metered && !this.#deps.journal.accepting()) throw new AppError('journal_unavailable');
    const later = admit(this.#deps, call);
    if (later === undefined) return this.#open(call, request, response);
    this.#running.opening();
    later
      .then(() => this.#open(call, request, response))
      .catch((error: unknown) => this.#fail(request, response, known, error))
      .finally(this.#running.opened);
  }

  /** The call may go: it is opened in the journal, and dispatched once that is safe. */
  #open(call: Call, request: IncomingMessage, response: ServerResponse): void {
    if (!call.route.metered) return this.#dispatch(call, request, response);
    const entry = this.#openedEntry(call);
    this.#running.opening();
    this.#deps.journal.append(ENTRY_OPENED, entry, (error) => {
      if (error === null) this.#dispatch(call, request, response);
      else {
        giveBack(this.#deps, call);
        this.#fail(request, response, call, new AppError('journal_unavailable', { cause: error }));
      }
      this.#running.opened();
    });
  }

  /** What the journal keeps before dispatch: what a crash leaves open is settled as this entry has it. */
  #openedEntry(call: Call): string {
    try {
      const event = openEvent(call);
      applyBound(event, call.held);
      return encodeOpened({ event });
    } catch (error) {
      giveBack(this.#deps, call); // nothing is on its way, so nothing else would
      throw error;
    }
  }

  /** Tells the client how its budgets and limits stand, on the head of an answer. */
  #tellLimits(list: string[], call: Call): void {
    const { clock, limitHeaders: writers } = this.#deps;
    addBudgetHeaders(list, call, this.#deps.utilisationPrefixes);
    if (call.lease === null) return;
    const monotonicMs = clock.monotonicMs();
    const telling = { writers, nowMs: clock.now(), monotonicMs };
    addLimitHeaders(list, limitHeaders(call.lease.standings(monotonicMs), telling, call.route.dialect));
  }

  /** A key may be revoked while its request is read or journaled; asked only when the snapshot was swapped since. */
  #keyGood(known: Pick<Call, 'snapshot' | 'key'>): boolean {
    const current = this.#deps.snapshot.current();
    return current === known.snapshot || stillKnown(current, known.key);
  }

  #assertKeyGood(known: Pick<Call, 'snapshot' | 'key'>): void {
    if (!this.#keyGood(known)) throw new AppError('invalid_api_key');
  }

  #dispatch(call: Call, request: IncomingMessage, response: ServerResponse): void {
    const attempts = new Attempts(call, request, this.#attemptDeps);
    const exchange = new Exchange(attempts, response, this.#exchangeDeps);
    this.#running.add(exchange);
    this.#deps.metrics.started();
    if (response.destroyed) return exchange.clientLeft();
    if (this.#running.interrupting) return exchange.interrupt();
    exchange.begin();
  }

  /** @param prepared the account's credential was waited for */
  #send(exchange: SentExchange, prepared = false): void {
    // The body may have taken minutes to arrive, and so may the wait for another attempt.
    if (this.#deps.snapshot.current().paused) return exchange.refuse(new AppError('traffic_paused'), PAUSED);
    if (!this.#keyGood(exchange.call)) return exchange.refuse(new AppError('invalid_api_key'), REVOKED);
    const { account, routing } = exchange.call;
    const authorizer = routing === null || routing.ownKey === null ? account.authorizer : null;
    if (authorizer === null || prepared || authorizer.ready(this.#deps.clock.now()))
      return sendCall(exchange, this.#deps);
    authorizer.prepare().then(
      () => this.#send(exchange, true),
      (error: unknown) => exchange.failed(error),
    );
  }

  #fail(
    request: IncomingMessage,
    response: ServerResponse,
    known: { route: DataRoute; id: string },
    error: unknown,
  ): void {
    const explained = error instanceof AppError ? error : new AppError('internal_error', { cause: error });
    if (explained.code === 'internal_error') {
      this.#deps.logger.error('request failed', {
        requestId: known.id,
        route: known.route.clientPath,
        error,
      });
    }
    this.#deps.watch.refused(explained, request);
    this.#discardRest(request);
    this.#reply(response, { dialect: known.route.dialect, requestId: known.id }, explained);
  }

  /**
   * A body that was not read to its end is thrown away as it arrives, so that the client gets to read the answer
   * instead of a reset. One that does not end soon loses its connection.
   */
  #discardRest(request: IncomingMessage): void {
    if (request.complete) return;
    request.resume();
    const timer = setTimeout(() => request.destroy(), DISCARD_MS);
    const done = (): void => clearTimeout(timer);
    request.once('end', done).once('close', done);
  }

  #closed(exchange: SentExchange): void {
    exchange.call.lease?.end(this.#deps.clock.monotonicMs());
    this.#deps.metrics.ended();
    this.#running.remove(exchange);
  }

  refuseRunning(): number {
    return this.#running.refuse(
      () => true,
      () => new AppError('traffic_paused'),
      PAUSED,
    );
  }

  endKey(keyId: string): void {
    this.#endRevoked(({ key }) => key.id === keyId);
  }

  endForbidden(): void {
    const current = this.#deps.snapshot.current();
    if (current.paused) this.refuseRunning();
    this.#endRevoked(({ snapshot, key }) => snapshot !== current && !stillKnown(current, key));
  }

  #endRevoked(which: (call: Call) => boolean): void {
    this.#running.refuse(which, () => new AppError('invalid_api_key'), REVOKED);
  }

  stop(graceMs: number): Promise<{ interrupted: number }> {
    return this.#running.stop(graceMs);
  }
}

/** Builds the gateway. It opens no listener; the http layer hands it requests of the data routes. */
export function createGateway(deps: GatewayDeps): Gateway {
  return new GatewayServer(deps);
}
