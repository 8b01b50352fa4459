import { readMember } from './read-field.ts';
import { readCount } from './scan-content.ts';

/** The members of a body that a counting endpoint takes; null when it has one that the count would leave out. */
export function pickMembers(
  body: unknown,
  taken: readonly string[],
  uncounted: readonly string[],
): Record<string, unknown> | null {
  if (uncounted.some((name) => (readMember(body, name) ?? null) !== null)) return null;
  const picked: Record<string, unknown> = {};
  for (const name of taken) {
    const value = readMember(body, name);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** `/v1/messages?beta=true` becomes `/v1/messages/count_tokens?beta=true`. */
export function countPath(path: string, last: string, added: string): string {
  const at = path.indexOf('?');
  const [bare, query] = at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at)];
  return bare.endsWith(`/${last}`) ? `${bare}/${added}${query}` : path;
}

/** `{"input_tokens": n}`. */
export function countAnswer(answer: unknown): number | null {
  return readCount(answer, 'input_tokens');
}
