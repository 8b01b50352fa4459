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
/** The client left, but the upstream was read to its end: the usage is final. */
export const DRAINED: Outcome = { ...ABORTED, complete: true };
export const INTERRUPTED: Outcome = {
  status: 'interrupted',
  attempt: 'interrupted',
  errorCode: 'shutting_down',
  complete: false,
};

/** The key was revoked while the answer was on its way. */
export const REVOKED: Outcome = { ...INTERRUPTED, errorCode: 'key_revoked' };

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

/** What an upstream failure is called, for the client and for the row. */
export function failureOf(error: unknown): { code: ErrorCode; outcome: Outcome } {
  const failed = (code: ErrorCode, status: RequestStatus, attempt: string) => ({
    code,
    // A request that never got a connection used nothing, and that is certain.
    outcome: { status, attempt, errorCode: code, complete: attempt === 'connect_failed' },
  });
  if (error instanceof AppError) return failed(error.code, 'upstream_error', 'connect_failed');
  const code = codeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return failed('upstream_timeout', 'timeout', 'connect_failed');
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'ETIMEDOUT') {
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
