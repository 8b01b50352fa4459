import type { AnswerReframer } from '../provider.ts';

/** What AWS calls an error, and what the Messages API would have called it. */
const TYPES: Readonly<Record<string, string>> = {
  throttlingexception: 'rate_limit_error',
  servicequotaexceededexception: 'rate_limit_error',
  toomanyrequestsexception: 'rate_limit_error',
  modelnotreadyexception: 'overloaded_error',
  serviceunavailableexception: 'overloaded_error',
  modeltimeoutexception: 'timeout_error',
  validationexception: 'invalid_request_error',
  resourcenotfoundexception: 'not_found_error',
  accessdeniedexception: 'permission_error',
  unrecognizedclientexception: 'authentication_error',
  expiredtokenexception: 'authentication_error',
  invalidsignatureexception: 'authentication_error',
};

export function errorTypeOfException(name: string): string {
  return TYPES[name.toLowerCase()] ?? 'api_error';
}

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};
const MAX_ERROR_BYTES = 64 * 1024;

function messageIn(text: string): string {
  try {
    const { message, Message } = JSON.parse(text) as { message?: unknown; Message?: unknown };
    const found = message ?? Message;
    if (typeof found === 'string' && found !== '') return found.slice(0, 2_000);
  } catch {
    // not JSON: nothing of it is shown
  }
  return 'The upstream answered an error.';
}

/** Turns the body of a refusal into the one that the Messages API would have sent. */
export function reframeError(status: number): AnswerReframer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    push(chunk) {
      bytes += chunk.length;
      if (bytes <= MAX_ERROR_BYTES) chunks.push(chunk);
      return Buffer.alloc(0);
    },
    end() {
      const type = BY_STATUS[status] ?? 'api_error';
      const message = messageIn(Buffer.concat(chunks).toString('utf8'));
      return Buffer.from(JSON.stringify({ type: 'error', error: { type, message } }));
    },
  };
}
