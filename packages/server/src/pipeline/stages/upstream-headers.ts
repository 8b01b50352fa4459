import type { IncomingMessage } from 'node:http';
import { connectionNames } from './connection-names.ts';

/** RFC 9110 §7.6.1, plus what belongs to this connection or is set anew for the next one. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  // The client's credential is for the gate and never reaches an upstream; whichever form it had.
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  // Meant for the gate.
  'x-tallygate-tags',
]);

/**
 * The client's headers as they go upstream: order, case and repetition kept; hop-by-hop headers and every
 * credential removed; the account's credential added.
 * @param options.plainAnswer asks for an answer without content coding, because something has to be taken out of it
 * @returns flat list of name, value
 */
export function upstreamHeaders(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers'>,
  options: { credentialHeaders: readonly string[]; plainAnswer: boolean },
): string[] {
  const raw = request.rawHeaders;
  const listed = connectionNames(request.headers.connection);
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || listed?.has(lower)) continue;
    if (options.plainAnswer && lower === 'accept-encoding') continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  headers.push(...options.credentialHeaders);
  return headers;
}
