import type { AnswerError } from './answer.ts';
import type { JsonDraft } from './json.ts';

const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]);

/** The body of an error, as Chat Completions and Responses share it. */
export function writeError({ status, message }: AnswerError): JsonDraft {
  const type = TYPE_BY_STATUS.get(status) ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type, param: null, code: null } };
}
