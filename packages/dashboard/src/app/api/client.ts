import type { ApiErrorBody } from '@tallygate/contract/errors';

/** An answer of the API that is not a success, or no answer at all (`network`). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly docs: string | null;
  readonly details: unknown;
  constructor(fields: {
    status: number;
    code: string;
    message: string;
    requestId?: string;
    docs?: string;
    details?: unknown;
  }) {
    super(fields.message);
    this.name = 'ApiError';
    this.status = fields.status;
    this.code = fields.code;
    this.requestId = fields.requestId ?? null;
    this.docs = fields.docs ?? null;
    this.details = fields.details;
  }
}

export interface ApiClient {
  /** Reads. The answer's shape is the contract's; `signal` stops it. */
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** Writes, with the session's CSRF token. A token that has gone stale is fetched anew, once. */
  send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Forgets the CSRF token: after sign-in and sign-out it belongs to another session. */
  forgetCsrf(): void;
}

type Fetch = typeof globalThis.fetch;

/** Talks to the API of the origin that served the page. Errors are {@link ApiError}s. */
export function createApiClient(fetch: Fetch): ApiClient {
  let csrfToken: string | null = null;

  async function token(): Promise<string> {
    if (csrfToken === null)
      csrfToken = (await call<{ csrfToken: string }>(fetch, '/api/auth/csrf', {})).csrfToken;
    return csrfToken;
  }
  async function attempt<T>(method: string, path: string, body: unknown): Promise<T> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (!WITHOUT_SESSION.has(path)) headers['x-csrf-token'] = await token();
    return call<T>(fetch, path, { method, headers, body: JSON.stringify(body ?? {}) });
  }
  return {
    get: (path, signal) => call(fetch, path, signal ? { signal } : {}),
    async send<T>(method: string, path: string, body?: unknown): Promise<T> {
      try {
        return await attempt<T>(method, path, body);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'csrf_failed') throw error;
        csrfToken = null;
        return attempt<T>(method, path, body);
      }
    },
    forgetCsrf() {
      csrfToken = null;
    },
  };
}

/** These work without a session, so there is none whose token could be sent. */
const WITHOUT_SESSION = new Set([
  '/api/setup',
  '/api/auth/login',
  '/api/auth/passkey/ask',
  '/api/auth/passkey/sign-in',
  '/api/auth/sso/start',
  '/api/entry/look',
  '/api/entry/accept',
]);

async function call<T>(fetch: Fetch, path: string, init: RequestInit): Promise<T> {
  const response = await reach(fetch, path, init);
  const text = await response.text();
  if (response.ok) return (text === '' ? {} : JSON.parse(text)) as T;
  throw toApiError(response, text);
}

async function reach(fetch: Fetch, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({
      status: 0,
      code: 'network',
      message: 'The server does not answer. Check that it is running; this page tries again by itself.',
    });
  }
}

function toApiError(response: Response, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as ApiErrorBody;
    return new ApiError({ status: response.status, ...error });
  } catch {
    return new ApiError({
      status: response.status,
      code: 'unexpected_answer',
      message: `The server answered ${response.status} without saying why.`,
    });
  }
}

/** The server's complaints by field, from `details` of `invalid_request`: `[{path, message}]`. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError) || !Array.isArray(error.details)) return {};
  const entries = error.details
    .filter((item): item is { path: unknown; message: unknown } => typeof item === 'object' && item !== null)
    .map((item) => [
      Array.isArray(item.path) ? item.path.join('.') : String(item.path ?? ''),
      String(item.message ?? ''),
    ]);
  return Object.fromEntries(entries.filter(([path]) => path !== ''));
}
