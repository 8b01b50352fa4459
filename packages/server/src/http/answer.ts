import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdminContext } from '../admin/admin-deps.ts';
import type { AdminRoute, FlowChange, Outcome, RawCall, SessionChange } from '../admin/route.ts';
import { isExpired } from '../identity/key-lookup.ts';
import { credentialId, type Principal } from '../identity/principal.ts';
import { AppError } from '../kernel/errors.ts';
import { noteRefusal } from '../security/note-refusal.ts';
import { apiErrorBody, asAppError } from './error-answer.ts';
import type { EventStreams } from './event-stream.ts';
import type { PathIndex } from './path-index.ts';
import { clientAddressOf, isPublicOnly, isSecure } from './request-marks.ts';
import { clearedCookie, clearedFlowCookie, flowCookie, sessionCookie } from './session-cookie.ts';

/** The headers that every answer to this request carries. */
export type HeadersFor = (request: FastifyRequest) => Record<string, string>;

interface AnswerParts {
  context: AdminContext;
  streams: EventStreams;
  paths: PathIndex;
  headersFor: HeadersFor;
}

export interface AnsweredCall {
  route: AdminRoute;
  call: RawCall;
  request: FastifyRequest;
  reply: FastifyReply;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Turns outcomes and errors into responses. */
export function createAnswers({ context, streams, paths, headersFor }: AnswerParts) {
  function error(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const methods = isNotFound(thrown)
      ? paths.methodsAt(request.url.split('?', 1)[0] ?? '/', isPublicOnly(request.raw))
      : [];
    const known = asAppError(methods.length > 0 ? new AppError('method_not_allowed') : thrown);
    noteRefusal(context.security, known.code, request.raw, clientAddressOf(request.raw));
    if (known.status >= 500) {
      context.logger.error('request failed', {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        code: known.code,
        error: known.cause ?? thrown,
      });
    }
    reply.code(known.status).header('cache-control', 'no-store').type(JSON_TYPE);
    if (methods.length > 0) reply.header('allow', methods.join(', '));
    if (known.status === 401) reply.header('www-authenticate', 'Bearer');
    if (known.retryAfterSeconds !== null) reply.header('retry-after', String(known.retryAfterSeconds));
    reply.send(JSON.stringify(apiErrorBody(known, request.id)));
  }

  async function stillGood(principal: Principal): Promise<boolean> {
    if (principal.kind === 'session') return context.sessions.alive(principal.session.row.idHash);
    if (principal.kind !== 'key') return true;
    const row = (await context.store.config.listKeys(null)).find((key) => key.id === principal.key.id);
    return row !== undefined && row.revokedAtMs === null && !isExpired(row, context.clock.now());
  }

  async function stream(
    outcome: Extract<Outcome, { kind: 'stream' }>,
    answered: AnsweredCall,
  ): Promise<void> {
    const { call, request, reply } = answered;
    streams.assertRoom(call.workspaceId);
    reply.hijack();
    const sink = streams.open(reply.raw, {
      headers: headersFor(request),
      credential: credentialId(call.principal),
      workspaceId: call.workspaceId,
      alive: () => stillGood(call.principal),
    });
    try {
      await outcome.open(sink);
    } catch (thrown) {
      context.logger.warn('live view ended', {
        requestId: request.id,
        route: answered.route.path,
        error: thrown,
      });
      sink.close();
    }
  }

  return {
    error,
    async outcome(outcome: Outcome, answered: AnsweredCall): Promise<void> {
      const { request, reply } = answered;
      if (outcome.kind === 'stream') return stream(outcome, answered);
      if (outcome.kind === 'redirect') return sendOn(context, outcome, answered);
      reply.code(outcome.status);
      if (outcome.kind === 'json') {
        reply.header('cache-control', 'no-store').type(JSON_TYPE);
        setCookies(outcome, answered);
        reply.send(JSON.stringify(outcome.body));
        return;
      }
      reply.header('cache-control', 'no-store').headers(outcome.headers).type(outcome.contentType);
      const unchanged =
        outcome.headers.etag !== undefined && request.headers['if-none-match'] === outcome.headers.etag;
      if (unchanged) reply.code(304).send();
      else reply.send(outcome.body);
    },
  };
}

const isNotFound = (error: unknown): boolean => error instanceof AppError && error.code === 'route_not_found';

function cookieOf(change: SessionChange, secure: boolean): string {
  return change.action === 'set'
    ? sessionCookie(change.token, change.maxAgeSeconds, secure)
    : clearedCookie(secure);
}

function flowCookieOf(change: FlowChange, secure: boolean): string {
  return change.action === 'set'
    ? flowCookie(change.kept, change.maxAgeSeconds, secure)
    : clearedFlowCookie(secure);
}

function setCookies(
  { session, flow }: { session?: SessionChange; flow?: FlowChange },
  { request, reply }: AnsweredCall,
): void {
  const secure = isSecure(request.raw);
  if (session !== undefined) reply.header('set-cookie', cookieOf(session, secure));
  if (flow !== undefined) reply.header('set-cookie', flowCookieOf(flow, secure));
}

function sendOn(
  { security }: AdminContext,
  outcome: Extract<Outcome, { kind: 'redirect' }>,
  answered: AnsweredCall,
): void {
  const { request, reply } = answered;
  if (outcome.problem !== undefined) {
    noteRefusal(security, asAppError(outcome.problem).code, request.raw, clientAddressOf(request.raw));
  }
  setCookies(outcome, answered);
  reply.code(303).header('cache-control', 'no-store').header('location', outcome.location).send();
}
