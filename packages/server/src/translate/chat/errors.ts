import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { AnswerError } from '../hub/answer.ts';
import { countOf, type JsonDraft, type JsonObject, stringAt } from '../hub/json.ts';

const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]);

/** Status of an error inside a stream, which has none of its own: by its code, else by what its type says. */
export function statusOfError(error: JsonObject): number {
  const code = countOf(error.code) ?? countOf(Number(error.code));
  if (code !== null && code >= 400 && code < 600) return code;
  const type = `${stringAt(error, 'type') ?? ''} ${stringAt(error, 'code') ?? ''}`;
  if (/rate_limit|quota/.test(type)) return 429;
  if (/overloaded|unavailable/.test(type)) return 503;
  if (/authentication/.test(type)) return 401;
  return /invalid_request/.test(type) ? 400 : 500;
}

/** The message of an error body; some servers leave out the object around it. */
export function readError(body: unknown): string | null {
  if (!isObject(body)) return null;
  const error = objectAt(body, 'error');
  return error === null
    ? (stringAt(body, 'error') ?? stringAt(body, 'message') ?? stringAt(body, 'detail'))
    : stringAt(error, 'message');
}

export function writeError({ status, message }: AnswerError): JsonDraft {
  const type = TYPE_BY_STATUS.get(status) ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type, param: null, code: null } };
}
