import type { IncomingMessage } from 'node:http';

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
]);

/** Names that the Connection header declares hop-by-hop, lower-case. */
function connectionNames(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || /^(keep-alive|close)$/i.test(value)) return null;
  return new Set(
    value
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}

/**
 * The client's headers as they go upstream: order, case and repetition kept; hop-by-hop headers and every
 * credential removed; the account's credential added.
 * @returns flat list of name, value
 */
export function upstreamHeaders(request: IncomingMessage, credentialHeaders: readonly string[]): string[] {
  const raw = request.rawHeaders;
  const listed = connectionNames(request.headers.connection);
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || listed?.has(lower)) continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  headers.push(...credentialHeaders);
  return headers;
}
