import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../kernel/errors.ts';

/** Sent by clients to mark a request; never forwarded (TW-12). */
export const TAGS_HEADER = 'x-tallygate-tags';

const MAX_TAGS = 10;
const MAX_TAG_CHARS = 64;
/** Printable ASCII without the comma that separates tags. */
const TAG = /^[\x21-\x2b\x2d-\x7e](?:[\x20-\x2b\x2d-\x7e]*[\x21-\x2b\x2d-\x7e])?$/;

const NO_TAGS: readonly string[] = Object.freeze([]);

/**
 * The tags a client gave its request: a list separated by commas, each once.
 * @throws AppError `invalid_request` for too many tags, or one that is too long or holds other characters
 */
export function requestTags(headers: IncomingHttpHeaders): readonly string[] {
  const sent = headers[TAGS_HEADER];
  if (sent === undefined || sent === '') return NO_TAGS;
  const text = Array.isArray(sent) ? sent.join(',') : sent;
  const tags = [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
  if (tags.length > MAX_TAGS) refuse(`carries more than ${MAX_TAGS} tags`);
  if (tags.some((tag) => tag.length > MAX_TAG_CHARS))
    refuse(`carries a tag of over ${MAX_TAG_CHARS} characters`);
  if (!tags.every((tag) => TAG.test(tag))) refuse('may hold printable ASCII only');
  return tags;
}

function refuse(reason: string): never {
  throw new AppError('invalid_request', { detail: `The header ${TAGS_HEADER} ${reason}.` });
}
