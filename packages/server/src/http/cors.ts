import type { IncomingMessage } from 'node:http';

/** What pages may read of an answer beside its body (Fetch §3.3.2). */
const EXPOSED = 'request-id, retry-after, x-request-id, x-tallygate-error, x-tallygate-request-id';
const PREFLIGHT_SECONDS = 600;
const FIELD_NAMES = /^[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*$/;
const MAX_FIELD_NAMES_CHARS = 2_048;

/** What is looked at of a request, and what an answer is told. */
type CorsRequest = Pick<IncomingMessage, 'method' | 'headers'>;
interface CorsAnswer {
  setHeader(name: string, value: string | number): unknown;
  writeHead(status: number): { end(): unknown };
}

/** Lets pages of other origins call the API of the models. */
export interface Cors {
  /**
   * Adds the headers an allowed origin needs.
   * @returns true when the request was a preflight and is answered with that
   */
  admit(request: CorsRequest, response: CorsAnswer): boolean;
}

function answerPreflight(request: CorsRequest, response: CorsAnswer): void {
  const asked = request.headers['access-control-request-headers'];
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-max-age', PREFLIGHT_SECONDS);
  // Which headers an SDK adds changes with its releases; the gate checks those that matter itself.
  if (typeof asked === 'string' && asked.length <= MAX_FIELD_NAMES_CHARS && FIELD_NAMES.test(asked)) {
    response.setHeader('access-control-allow-headers', asked);
  }
  response.writeHead(204).end();
}

/**
 * Credentials of the browser (cookies) are never permitted: pages send a key of their own.
 * @param origins exact origins, or `*` alone for any; empty permits none
 */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  const any = allowed.has('*');
  return {
    admit(request, response) {
      const { origin } = request.headers;
      if (origin === undefined || !(any || allowed.has(origin))) return false;
      response.setHeader('access-control-allow-origin', any ? '*' : origin);
      response.setHeader('vary', 'Origin');
      response.setHeader('access-control-expose-headers', EXPOSED);
      if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
        return false;
      answerPreflight(request, response);
      return true;
    },
  };
}
