import type { IncomingMessage } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import { KEY_HEADERS } from '../kernel/key-headers.ts';

/** Browsers send about 20 header fields, SDKs about 15, chains of proxies a dozen more. */
const MAX_HEADER_COUNT = 100;
/** Longest request target that is looked at: two filters with fifty ids each fit. */
const MAX_TARGET_CHARS = 8 * 1024;

/**
 * Fields that decide who is calling and for whom. Two of one kind leave it open which one counted: Node keeps the
 * first, other programs the last (RFC 9110 §5.3; for Host RFC 9112 §3.2 demands the refusal).
 */
const SINGLE = new Set([
  'authorization',
  'host',
  ...KEY_HEADERS,
  'content-type',
  'cookie',
  'x-csrf-token',
  'origin',
]);
const SINGLE_LENGTHS = new Set([...SINGLE].map((name) => name.length));

function repeatedField(rawHeaders: readonly string[]): string | null {
  let seen: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!SINGLE_LENGTHS.has(name.length)) continue;
    const lower = name.toLowerCase();
    if (!SINGLE.has(lower)) continue;
    // A list in a string: a request has two or three of them, and this runs for every one.
    if (seen?.includes(` ${lower} `)) return lower;
    seen = `${seen ?? ''} ${lower} `;
  }
  return null;
}

/**
 * Codings that programs in front may read in another way than the parser here: a list that ends in `chunked`, and
 * any coding with HTTP/1.0, which has none (RFC 9112 §6.1).
 */
function unclearCoding(coding: string | undefined, httpVersion: string): boolean {
  return coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked');
}

/** What is judged of a request. */
type RequestHead = Pick<IncomingMessage, 'url' | 'rawHeaders' | 'headers' | 'httpVersion'>;

/**
 * What is wrong with the head of a request before anybody looks at what it asks for; null when nothing is. The
 * parser has refused already what is not HTTP.
 */
export function shapeProblem({ url, rawHeaders, headers, httpVersion }: RequestHead): AppError | null {
  if (url?.charCodeAt(0) !== 47 /* / */) {
    // Absolute-form is for proxies, authority-form for CONNECT, asterisk-form for OPTIONS (RFC 9112 §3.2).
    return new AppError('invalid_request', {
      detail: 'The request target must be a path that begins with "/".',
    });
  }
  if (url.includes('#')) {
    // A fragment is the client's own business (RFC 9112 §3.2); what stands behind it, path or query, would be anybody's guess.
    return new AppError('invalid_request', {
      detail: 'The request target must not have a "#". In a path or a query it is written %23.',
    });
  }
  if (headers.host === undefined && httpVersion !== '1.0') {
    return new AppError('invalid_request', { detail: 'The header field "host" is missing.' });
  }
  if (url.length > MAX_TARGET_CHARS) {
    return new AppError('invalid_request', {
      detail: `The address is longer than ${MAX_TARGET_CHARS} characters.`,
    });
  }
  if (rawHeaders.length / 2 > MAX_HEADER_COUNT) {
    return new AppError('headers_too_large', {
      detail: `There are more than ${MAX_HEADER_COUNT} header fields.`,
    });
  }
  if (unclearCoding(headers['transfer-encoding'], httpVersion)) {
    return new AppError('invalid_request', {
      detail: 'A body may be sent with "transfer-encoding: chunked" and HTTP/1.1, and in no other coding.',
    });
  }
  const repeated = repeatedField(rawHeaders);
  if (repeated === null) return null;
  return new AppError('invalid_request', {
    detail: `The header field "${repeated}" was sent more than once.`,
  });
}
