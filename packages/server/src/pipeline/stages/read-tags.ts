import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../kernel/errors.ts';

const MAX_TAGS = 10;
const TAG = /^[A-Za-z0-9._:/-]{1,64}$/;
const NONE: readonly string[] = Object.freeze([]);

/**
 * The tags a client puts on a request: `x-tallygate-tags: nightly,team:search`. They are for the gate and never go
 * upstream.
 * @throws AppError `invalid_request`: a tag that is dropped silently would slip past the budget that watches it
 */
export function readTags(headers: IncomingHttpHeaders): readonly string[] {
  const value = headers['x-tallygate-tags'];
  if (value === undefined) return NONE;
  const text = Array.isArray(value) ? value.join(',') : value;
  const tags = [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
  if (tags.length > MAX_TAGS || tags.some((tag) => !TAG.test(tag))) {
    throw new AppError('invalid_request', {
      detail: `x-tallygate-tags takes up to ${MAX_TAGS} tags of letters, digits and . _ : / - with commas between, each at most 64 characters long.`,
    });
  }
  return tags;
}
