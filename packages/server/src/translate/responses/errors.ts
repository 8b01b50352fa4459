import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { AnswerError } from '../hub/answer.ts';
import { type JsonObject, stringAt } from '../hub/json.ts';

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

/** Code of an error inside an answer: clients try some of them again. */
export function codeOf({ status }: AnswerError): string {
  return status === 429 ? 'rate_limit_exceeded' : 'server_error';
}
