import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { AnswerError } from '../hub/answer.ts';
import { type JsonDraft, stringAt } from '../hub/json.ts';

/** Error types of the Messages API and the status each goes with. */
const TYPES: readonly (readonly [status: number, type: string])[] = [
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
];
const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([...TYPES, [503, 'overloaded_error']]);

export function statusOfError(type: string | null): number {
  return TYPES.find(([, name]) => name === type)?.[0] ?? 500;
}

export function readError(body: unknown): string | null {
  const error = isObject(body) ? objectAt(body, 'error') : null;
  return error === null ? null : stringAt(error, 'message');
}

export function writeError({ status, message }: AnswerError, requestId: string | null): JsonDraft {
  const type = TYPE_BY_STATUS.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return {
    type: 'error',
    error: { type, message },
    ...(requestId === null ? {} : { request_id: requestId }),
  };
}
