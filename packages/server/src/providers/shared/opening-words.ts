import { detached } from '../../kernel/detached.ts';
import { readMember } from './read-field.ts';

const MAX_LENGTH = 512;

/** The first text in what may be a text, a message, a list of them, or blocks with a `text`. */
function firstText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value.slice(0, MAX_LENGTH);
  if (depth > 3) return '';
  if (Array.isArray(value)) return firstText(value[0], depth + 1);
  const inner = readMember(value, 'text') ?? readMember(value, 'content') ?? readMember(value, 'parts');
  return inner === undefined ? '' : firstText(inner, depth + 1);
}

/**
 * How a conversation begins: its instructions and its first message, which all of its turns share and which a prompt
 * cache goes by. Null when there is no text.
 */
export function openingWords(instructions: unknown, messages: unknown): string | null {
  const words = firstText(instructions) + firstText(messages);
  return words === '' ? null : detached(words);
}
