import { AppError } from '../kernel/errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a JSON body. No body is `undefined`.
 * @throws AppError `invalid_json` when it is not UTF-8 or not JSON; the message quotes nothing
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw new AppError('invalid_json', { cause });
  }
}

/** A query string as an object without a prototype; a repeated parameter is a list. */
export function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const known = query[name];
    if (known === undefined) query[name] = value;
    else if (Array.isArray(known))
      known.push(value); // copying would cost the square of what a client can send
    else query[name] = [known, value];
  }
  return query;
}
