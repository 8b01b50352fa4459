import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { AnswerError } from '../hub/answer.ts';
import { type JsonDraft, stringAt } from '../hub/json.ts';

/** Names of google.rpc.Code by HTTP status. */
const STATUS_NAMES: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** An error body; a stream without events has it in a list. */
export function readError(body: unknown): string | null {
  const answer: unknown = Array.isArray(body) ? body[0] : body;
  const error = isObject(answer) ? objectAt(answer, 'error') : null;
  return error === null ? null : stringAt(error, 'message');
}

export function writeError({ status, message }: AnswerError): JsonDraft {
  const code = status === 529 ? 503 : status;
  const name = STATUS_NAMES.get(code) ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
  return { error: { code, message, status: name } };
}
