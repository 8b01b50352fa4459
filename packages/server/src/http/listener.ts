import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { DataRoutes } from './data-routes.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Room for the cookies and tracing headers of a browser and for long betas of an SDK. */
const MAX_HEADER_BYTES = 64 * 1024;
/** A client has this long to send its headers (slowloris) and its whole request. */
const HEADERS_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

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

/** An HTTP server with bounds on headers and time; it does not listen yet. */
export function createHttpServer(handler: RequestHandler): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    handler,
  );
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return void socket.destroy();
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  return server;
}
