import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { countOf, type JsonObject, stringAt } from '../hub/json.ts';

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
