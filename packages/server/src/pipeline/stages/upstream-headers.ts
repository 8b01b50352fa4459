import type { IncomingMessage } from 'node:http';
import { KEY_HEADERS } from '../../kernel/key-headers.ts';
import type { HeaderEdits } from '../routing.ts';
import { OWN_KEY_HEADER } from './apply-rules.ts';
import { connectionNames } from './connection-names.ts';
import { TAGS_HEADER } from './request-tags.ts';

/**
 * Whose bill a request is on. The client's own organisation or project means nothing beside the account's credential:
 * the provider would refuse the call, or put it on a bill that the account is not for.
 */
const PAYERS = new Set(['openai-organization', 'openai-project', 'x-goog-user-project']);

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
  ...KEY_HEADERS,
  'api-key',
  'cookie',
  OWN_KEY_HEADER,
  TAGS_HEADER,
  // Who the client is and what stands in front of the gate is nobody's business upstream (RFC 7239 §8.3).
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-client-ip',
  'x-real-ip',
  'true-client-ip',
  'cf-connecting-ip',
  // They have some servers serve another method or path than the one that was found in the table (docs/security/routes.md).
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);

/** Headers as a rule has them. */
export function editedHeaders(headers: readonly string[], { removed, set }: HeaderEdits): string[] {
  const kept = headers.filter((_, i) => !removed.has((headers[i - (i % 2)] ?? '').toLowerCase()));
  return [...kept, ...set];
}

/**
 * The client's headers as they go upstream: order, case and repetition kept; hop-by-hop headers and every
 * credential removed; the account's credential added.
 * @param options.ownKey the credential is one that the client brings: then the payer it names goes with it
 * @param options.plainAnswer asks for an answer without content coding, because something has to be taken out of it
 * @returns flat list of name, value
 */
export function upstreamHeaders(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers'>,
  options: {
    credentialHeaders: readonly string[];
    ownKey: boolean;
    plainAnswer: boolean;
    edits: HeaderEdits | null;
  },
): string[] {
  const raw = request.rawHeaders;
  const listed = connectionNames(request.headers.connection);
  const headers: string[] = [];
  const { edits, ownKey } = options;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || listed?.has(lower)) continue;
    if (!ownKey && PAYERS.has(lower)) continue;
    if (edits?.removed.has(lower)) continue;
    if (options.plainAnswer && lower === 'accept-encoding') continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  if (edits !== null) headers.push(...edits.set);
  headers.push(...options.credentialHeaders);
  return headers;
}
