import type { ErrorCode } from '@tallygate/contract/errors';
import type { RequestStatus } from '@tallygate/contract/usage';
import { AppError } from '../kernel/errors.ts';

/** How a request ended, before usage is looked at. */
export interface Outcome {
  status: RequestStatus;
  /** Of the attempt: `ok`, `http_error`, `stream_error`, `connect_failed`, `timeout`, `connection_lost`, `aborted`, `interrupted`. */
  attempt: string;
  errorCode: string | null;
  /** False when an answer was cut, or may have been under way: what it used is an estimate. */
  complete: boolean;
}

export const COMPLETE: Outcome = { status: 'ok', attempt: 'ok', errorCode: null, complete: true };
export const ABORTED: Outcome = {
  status: 'aborted',
  attempt: 'aborted',
  errorCode: 'client_closed_request',
  complete: false,
};
/** The client left, but the upstream was read to its end: the usage is as final as the answer. */
export const drained = ({ complete }: Outcome): Outcome => ({ ...ABORTED, complete });
export const INTERRUPTED: Outcome = {
  status: 'interrupted',
  attempt: 'interrupted',
  errorCode: 'shutting_down',
  complete: false,
};

/** The operator paused all traffic. */
export const PAUSED: Outcome = { ...INTERRUPTED, errorCode: 'traffic_paused' };
/** The key was revoked while the answer was on its way. */
export const REVOKED: Outcome = { ...INTERRUPTED, errorCode: 'key_revoked' };
/** A stream that ended, properly by its connection, without its last event. */
export const TRUNCATED: Outcome = {
  status: 'upstream_error',
  attempt: 'connection_lost',
  errorCode: 'upstream_connection_lost',
  complete: false,
};

/** An answer in a format of its own that cannot be translated: too large, encoded, or not what its format allows. */
export const UNREADABLE: UpstreamFailure = {
  code: 'upstream_failed',
  outcome: {
    status: 'upstream_error',
    attempt: 'stream_error',
    errorCode: 'upstream_failed',
    complete: false,
  },
  body: null,
  mayRepeat: true,
};

/** Errors inside a 200 that another attempt may not meet, in every dialect's words; a mistake of the client's is none. */
const REPEATABLE =
  /overloaded|rate_limit|api_error|timeout_error|server_error|internal|unavailable|insufficient_quota|resource_exhausted|deadline_exceeded|^(?:429|5\d\d)$/i;

export function mayRepeatStreamError(type: string): boolean {
  return REPEATABLE.test(type);
}

/** An error that came inside a 200 before any content: the client learns of it by the status it should have had. */
export function streamFailure(type: string): UpstreamFailure {
  const code = /rate_limit|quota|exhausted|429/i.test(type)
    ? 'accounts_limited'
    : /overloaded|unavailable|503|529/i.test(type)
      ? 'upstream_overloaded'
      : 'upstream_failed';
  return { code, outcome: answerOutcome(200, type), body: null, mayRepeat: true };
}

/** Outcome of an answer that arrived whole. */
export function answerOutcome(httpStatus: number, streamError: string | null): Outcome {
  if (httpStatus >= 400) {
    const status: RequestStatus = httpStatus >= 500 ? 'upstream_error' : 'client_error';
    return { status, attempt: 'http_error', errorCode: `http_${httpStatus}`, complete: true };
  }
  if (streamError !== null)
    return { status: 'upstream_error', attempt: 'stream_error', errorCode: streamError, complete: false };
  return COMPLETE;
}

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ECONNABORTED',
]);

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** A failure of the connection to an upstream. */
export interface UpstreamFailure {
  /** What the client is told. */
  code: ErrorCode;
  outcome: Outcome;
  body: null;
  /** False when the same account would only fail again, or has worked on the call for long already. */
  mayRepeat: boolean;
}

/** What an upstream failure is called, for the client and for the row. */
export function failureOf(error: unknown): UpstreamFailure {
  if (error === UNREADABLE) return UNREADABLE;
  const failed = (code: ErrorCode, status: RequestStatus, attempt: string): UpstreamFailure => ({
    code,
    // A request that never got a connection used nothing, and that is certain.
    outcome: { status, attempt, errorCode: code, complete: attempt === 'connect_failed' },
    body: null,
    mayRepeat: !(error instanceof AppError) && attempt !== 'timeout',
  });
  if (error instanceof AppError) return failed(error.code, 'upstream_error', 'connect_failed');
  const code = codeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return failed('upstream_timeout', 'timeout', 'connect_failed');
  if (code === 'HTTP_HEAD_TIMEOUT' || code === 'HTTP_BODY_TIMEOUT' || code === 'ETIMEDOUT') {
    return failed('upstream_timeout', 'timeout', 'timeout');
  }
  if (
    CONNECT_CODES.has(code) ||
    code.startsWith('ERR_TLS') ||
    code.startsWith('CERT_') ||
    code.includes('_CERT')
  ) {
    return failed('upstream_connect_failed', 'upstream_error', 'connect_failed');
  }
  return failed('upstream_connection_lost', 'upstream_error', 'connection_lost');
}

/** A refusal that the client has not seen, with its body. */
export function refusedUnseen(
  outcome: Outcome,
  body: readonly Buffer[],
): { outcome: Outcome; body: string; mayRepeat: true } {
  return { outcome, body: Buffer.concat(body).toString('latin1'), mayRepeat: true };
}

/** A stream that ended without content and without its last event was cut. */
export const CUT_UNSEEN = { outcome: TRUNCATED, body: null, mayRepeat: true };
