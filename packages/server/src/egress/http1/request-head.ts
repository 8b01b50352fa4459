import { isFieldValue, isToken } from './field-syntax.ts';
import { UpstreamError } from './upstream-error.ts';

/** A request as it is to be sent. */
export interface UpstreamRequest {
  method: 'GET' | 'POST' | 'HEAD';
  /** Path and query. */
  path: string;
  /** Flat list of name, value; without those that belong to the connection or frame the body. */
  headers: readonly string[];
  body: Buffer | null;
  /** How long the head of the answer may take, from when the request was written or an interim head (1xx) came. */
  headTimeoutMs: number;
  /** How long the answer may be silent after that. */
  bodyTimeoutMs: number;
}

/** Visible characters; what a proxy on the way could read as the end of the target is none of them. */
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/;
const MAX_KNOWN_NAMES = 1024;
const MAX_KNOWN_NAME_LENGTH = 64;
/** Ours to say. Two of any of these is how one request becomes two (RFC 9112 §11.2). */
const OURS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);
const goodNames = new Set<string>();

function invalid(what: string): never {
  throw new UpstreamError('HTTP_REQUEST_INVALID', `The request cannot be sent: ${what}.`);
}

/** The same few names come with every request: each is checked once. */
function checkName(name: string): void {
  if (goodNames.has(name)) return;
  if (!isToken(name)) invalid('a header name is none');
  if (OURS.has(name.toLowerCase())) invalid('it has a header that belongs to the connection');
  if (goodNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME_LENGTH) goodNames.add(name);
}

/** Whether the connection takes another request after this one: some servers send a body in answer to HEAD. */
export function allowsNext({ method, body }: UpstreamRequest): boolean {
  return method === 'POST' || (method === 'GET' && body === null);
}

/**
 * The head of a request as it goes over the wire, one character a byte.
 * @param host of the target, as it stands in the Host header
 * @throws UpstreamError when something in it would not arrive as what it is
 */
export function requestHead(request: UpstreamRequest, host: string): string {
  const { method, path, headers, body } = request;
  if (!TARGET.test(path)) invalid('its path is none');
  const connection = allowsNext(request) ? 'keep-alive' : 'close';
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1];
    checkName(name);
    if (value === undefined || !isFieldValue(value)) invalid('a header value has a control character');
    head += `${name}: ${value}\r\n`;
  }
  if (body !== null || method === 'POST') head += `content-length: ${body?.length ?? 0}\r\n`;
  return `${head}\r\n`;
}
