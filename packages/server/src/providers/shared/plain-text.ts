import { readMember } from './read-field.ts';

const MAX_DEPTH = 4;

/** Every text in what may be a text, a block with a `text`, a message with `content` or `parts`, or lists of them. */
function textsIn(value: unknown, found: string[], depth: number): void {
  if (typeof value === 'string') found.push(value);
  else if (depth > MAX_DEPTH) return;
  else if (Array.isArray(value)) for (const item of value) textsIn(item, found, depth + 1);
  else {
    const inner = readMember(value, 'text') ?? readMember(value, 'content') ?? readMember(value, 'parts');
    if (inner !== undefined) textsIn(inner, found, depth + 1);
  }
}

/** The text of a prompt, however it is divided; its parts on lines of their own. */
export function plainText(...parts: readonly unknown[]): string {
  const found: string[] = [];
  for (const part of parts) textsIn(part, found, 0);
  return found.join('\n');
}

/** The messages of these roles. */
export function messagesOf(messages: unknown, roles: readonly string[]): unknown[] {
  if (!Array.isArray(messages)) return [];
  return (messages as unknown[]).filter((message) => {
    const role = readMember(message, 'role');
    return typeof role === 'string' && roles.includes(role);
  });
}
