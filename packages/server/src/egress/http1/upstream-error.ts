/** What went wrong between us and an upstream, once there was a connection. */
export type UpstreamErrorCode =
  | 'HTTP_REQUEST_INVALID'
  | 'HTTP_HEAD_TIMEOUT'
  | 'HTTP_BODY_TIMEOUT'
  | 'HTTP_HEAD_TOO_LARGE'
  | 'HTTP_ANSWER_MALFORMED'
  | 'HTTP_CONNECTION_CLOSED'
  | 'HTTP_POOL_CLOSED';

/** An error of our own HTTP client. Its message names the rule that was broken, never the bytes that broke it. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string) {
    super(message);
    this.name = 'UpstreamError';
    this.code = code;
  }
}

/** @returns never; an answer that breaks the rules of RFC 9112 is not guessed at */
export function malformed(rule: string): never {
  throw new UpstreamError('HTTP_ANSWER_MALFORMED', `The upstream's answer is not valid HTTP/1.1: ${rule}.`);
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
