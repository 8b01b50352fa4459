import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import { KEY_HEADERS } from '../kernel/key-headers.ts';
import { assertHostAllowed, type HostPolicy } from './host-check.ts';
import type { RequestHandler } from './listener.ts';
import { shapeProblem } from './request-shape.ts';
import { readSessionCookie } from './session-cookie.ts';

/** Fields that carry a key in one of the APIs served here. */
const CREDENTIALS = ['authorization', ...KEY_HEADERS, 'api-key', 'proxy-authorization'];

export interface RedirectDeps {
  /** True for paths that programs call: the API of the models, our own API, metrics. */
  isApi(path: string): boolean;
  refuse(request: IncomingMessage, response: ServerResponse, error: AppError): void;
  hosts: HostPolicy;
  /** Port of the https listener, as clients see it. */
  tlsPort: number;
}

function carriesCredential({ headers }: IncomingMessage): boolean {
  return (
    CREDENTIALS.some((name) => headers[name] !== undefined) ||
    [true, false].some((secure) => readSessionCookie(headers.cookie, secure) !== null)
  );
}

/**
 * Serves the plain HTTP port beside https. Pages are redirected; calls, and whatever carries a credential, are
 * refused: a client that is redirected goes on sending its key readable, and nobody notices.
 */
export function createRedirectDoor({ isApi, refuse, hosts, tlsPort }: RedirectDeps): RequestHandler {
  function locationOf(request: IncomingMessage): string {
    const { url = '/', method, headers } = request;
    const problem = shapeProblem(request);
    if (problem !== null) throw problem;
    const path = url.split('?', 1)[0] ?? '/';
    if ((method !== 'GET' && method !== 'HEAD') || isApi(path) || carriesCredential(request)) {
      throw new AppError('tls_required');
    }
    assertHostAllowed(headers.host, hosts);
    const { hostname } = new URL(`http://${headers.host}`);
    return `https://${hostname}${tlsPort === 443 ? '' : `:${tlsPort}`}${url}`;
  }
  return (request, response) => {
    response.setHeader('connection', 'close');
    try {
      const location = locationOf(request);
      response
        .writeHead(308, { location, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
        .end();
    } catch (error) {
      refuse(
        request,
        response,
        error instanceof AppError ? error : new AppError('invalid_request', { cause: error }),
      );
    }
  };
}
