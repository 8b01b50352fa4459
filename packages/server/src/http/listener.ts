import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { AppError } from '../kernel/errors.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { DataRoutes } from './data-routes.ts';
import { apiErrorBody } from './error-answer.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** How much and how long a client may take to say what it wants. */
export interface ListenerLimits {
  maxHeaderBytes: number;
  /** From the connection, or from the first byte of a later request, to the end of the headers (slowloris). */
  headersTimeoutMs: number;
  /** The same to the end of the body. */
  requestTimeoutMs: number;
}

/** Room for the cookies and tracing headers of a browser and for long betas of an SDK. */
export const DEFAULT_LIMITS: ListenerLimits = {
  maxHeaderBytes: 64 * 1024,
  headersTimeoutMs: 30_000,
  requestTimeoutMs: 300_000,
};
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_CHECK_INTERVAL_MS = 5_000;
/** Nobody pipelines; a client that queues more than this behind one connection is after our memory. */
const MAX_PIPELINED = 16;
/** How long the answer to a malformed request may take to leave. */
const LAST_WORDS_MS = 1_000;

/**
 * Sends requests of the data plane straight to the gateway and all others to the admin application. The data
 * plane does without the framework's per-request work (docs/decisions/0002).
 */
export function createDispatch(gateway: Gateway, routes: DataRoutes, admin: RequestHandler): RequestHandler {
  return (request, response) => {
    const url = request.url ?? '/';
    const query = url.indexOf('?');
    const path = query === -1 ? url : url.slice(0, query);
    const route = routes.find(request.method ?? 'GET', path, request.headers);
    if (route !== null) return gateway.handle(request, response, route);
    if (!routes.owns(path)) return admin(request, response);
    const error = new AppError('route_not_found', {
      detail: 'There is no such API path here. Nothing was sent upstream.',
    });
    gateway.refuse(request, response, routes.dialectOf(path, request.headers), error);
  };
}

/** What is under way on a connection; kept on its socket, so that it goes with it. */
const CURRENT = Symbol('the newest response of this connection');
interface Carrying {
  [CURRENT]?: { response: ServerResponse; request: IncomingMessage; queued: number };
}

/** @returns false when the connection was cut because too much waits behind one another on it */
function noteExchange(request: IncomingMessage, response: ServerResponse): boolean {
  const socket = request.socket as typeof request.socket & Carrying;
  // Node gives a response its socket once it is first in line (RFC 9112 §9.3.2: answers keep the order).
  const queued = response.socket === null ? (socket[CURRENT]?.queued ?? 0) + 1 : 0;
  if (queued > MAX_PIPELINED) {
    socket.destroy();
    return false;
  }
  socket[CURRENT] = { response, request, queued };
  return true;
}

const PARSER_CODES: Readonly<Record<string, ConstructorParameters<typeof AppError>[0]>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

function lastWords(error: NodeJS.ErrnoException): string {
  const known = new AppError(PARSER_CODES[error.code ?? ''] ?? 'invalid_request', {
    ...(error.code?.startsWith('HPE_') && error.code !== 'HPE_HEADER_OVERFLOW'
      ? { detail: 'This is not a well-formed HTTP/1.1 request.' }
      : {}),
  });
  const body = JSON.stringify(apiErrorBody(known, ''));
  const head = [
    `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/**
 * What to do with a connection whose parser gave up: `answer` when bytes written now would be taken for the answer to
 * what was malformed and for nothing else, `wait` while an earlier request still gets its answer.
 */
function whatNow({ [CURRENT]: current }: Carrying): 'answer' | 'wait' | 'cut' {
  if (current === undefined) return 'answer';
  const { request, response, queued } = current;
  // The rest of a request that was answered early is not a request of its own.
  if (response.writableFinished) return request.complete ? 'answer' : 'cut';
  return queued === 0 && !response.headersSent && !request.complete ? 'answer' : 'wait';
}

function onClientError(error: NodeJS.ErrnoException, socket: Socket & Carrying): void {
  // Everything else is a connection that broke, or a handshake that failed: nobody could read an answer.
  const readable = error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const todo = readable && socket.writable ? whatNow(socket) : 'cut';
  if (todo === 'cut') return void socket.destroy();
  if (todo === 'wait') {
    socket.pause(); // nothing more is read: the parser would only fail again
    return void socket[CURRENT]?.response.once('finish', () => socket.destroySoon());
  }
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(lastWords(error));
}

/**
 * An HTTP/1.1 server with bounds on headers and time; it does not listen yet.
 * @param options.tls certificate and protocol settings; without them it speaks plain HTTP
 */
export function createHttpServer(
  handler: RequestHandler,
  options: { limits?: ListenerLimits; tls?: TlsServerOptions } = {},
): Server {
  const { limits = DEFAULT_LIMITS, tls } = options;
  const { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs } = limits;
  const bounded: ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, Math.ceil(headersTimeoutMs / 4)),
    noDelay: true,
    requireHostHeader: false, // the door says what is missing; the parser's answer would be empty
  };
  const noted: RequestHandler = (request, response) => {
    if (noteExchange(request, response)) handler(request, response);
  };
  const server: Server =
    tls === undefined
      ? createServer(bounded, noted)
      : createTlsServer({ ...bounded, handshakeTimeout: headersTimeoutMs, ...tls }, noted);
  // Node drops what is beyond its count in silence, and with it perhaps the field that mattered: we count ourselves.
  server.maxHeadersCount = 0;
  server.on('clientError', (error, socket) => onClientError(error, socket as Socket));
  return server;
}
