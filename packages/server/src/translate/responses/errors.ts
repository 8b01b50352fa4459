import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { AnswerError } from '../hub/answer.ts';
import { type JsonDraft, type JsonObject, stringAt } from '../hub/json.ts';

const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]);

/** Status of an error inside an answer, by its code. */
export function statusOfError(error: JsonObject): number {
  const code = `${stringAt(error, 'code') ?? ''} ${stringAt(error, 'type') ?? ''}`;
  if (/rate_limit|quota/.test(code)) return 429;
  if (/overloaded|unavailable/.test(code)) return 503;
  return /invalid|image/.test(code) ? 400 : 500;
}

export function readError(body: unknown): string | null {
  const error = isObject(body) ? objectAt(body, 'error') : null;
  return error === null ? null : stringAt(error, 'message');
}

export function writeError({ status, message }: AnswerError): JsonDraft {
  const type = TYPE_BY_STATUS.get(status) ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type, param: null, code: null } };
}

/** Code of an error inside an answer: clients try some of them again. */
export function codeOf({ status }: AnswerError): string {
  return status === 429 ? 'rate_limit_exceeded' : 'server_error';
}
