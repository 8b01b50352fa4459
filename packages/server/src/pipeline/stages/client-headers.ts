import { detached } from '../../kernel/detached.ts';
import { nameTable } from '../../kernel/name-table.ts';
import { isLimitHeader } from '../../pool/rate-limit-headers.ts';
import { connectionNames } from './connection-names.ts';

const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Meant for the upstream's own origin and connection; wrong or harmful coming from the gate (CF-16).
  'set-cookie',
  'strict-transport-security',
  'alt-svc',
  // Set by the gate.
  'x-tallygate-request-id',
  'x-tallygate-account',
]);

/** Which pages may call the gate is for its operator to say, not for an upstream that permits any. */
const CORS_PREFIX = 'access-control-';

interface HeaderName {
  lower: string;
  forwarded: boolean;
  limit: boolean;
}

/** Names of upstream headers that are remembered, as they are spelt. */
const MAX_NAMES = 1024;

/** What a name means here, worked out once for each spelling. */
const nameOf = nameTable((name: string): HeaderName => {
  const lower = name.toLowerCase();
  return {
    lower,
    forwarded: !NOT_FORWARDED.has(lower) && !lower.startsWith(CORS_PREFIX),
    limit: isLimitHeader(lower),
  };
}, MAX_NAMES);

export interface ClientHeaders {
  /** Flat list of name, value for `writeHead`. */
  list: string[];
  contentType: string;
  contentEncoding: string | null;
  contentLength: number | null;
  upstreamRequestId: string | null;
  /** What the pool reads: flat list of lower-case name, value. */
  limits: readonly string[];
}

const NO_LIMITS: readonly string[] = [];

/**
 * The upstream's headers as they go to the client: order and case kept, hop-by-hop removed.
 * @param raw flat list of name, value, one character a byte
 * @param options.dropLength when the body will be shorter than the upstream's
 */
export function clientHeaders(
  raw: readonly string[],
  options: { requestIdHeader: string; dropLength: boolean },
): ClientHeaders {
  const found: ClientHeaders = {
    list: [],
    contentType: '',
    contentEncoding: null,
    contentLength: null,
    upstreamRequestId: null,
    limits: NO_LIMITS,
  };
  let limits: string[] | null = null;
  let listed: ReadonlySet<string> | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const { lower, forwarded, limit } = nameOf(name);
    const value = raw[i + 1] ?? '';
    if (lower === 'connection') listed = connectionNames(value);
    if (!forwarded) continue;
    if (lower === options.requestIdHeader) found.upstreamRequestId = detached(value);
    else note(found, lower, value);
    if (limit) limits = withLimit(limits, lower, value);
    if (lower === 'content-length' && options.dropLength) continue;
    found.list.push(name, value);
  }
  if (limits !== null) found.limits = limits;
  if (listed !== null) found.list = withoutNames(found.list, listed);
  return found;
}

/** Made only when there is one: most answers that fail have none. */
function withLimit(limits: string[] | null, name: string, value: string): string[] {
  if (limits === null) return [name, value];
  limits.push(name, value);
  return limits;
}

/** Takes out what the upstream's Connection header declares hop-by-hop; it may come after the headers it names. */
function withoutNames(list: readonly string[], names: ReadonlySet<string>): string[] {
  return list.filter((_, i) => !names.has((list[i - (i % 2)] ?? '').toLowerCase()));
}

function note(found: ClientHeaders, name: string, value: string): void {
  if (name === 'content-type') found.contentType = value;
  else if (name === 'content-encoding') found.contentEncoding = value.toLowerCase();
  else if (name === 'content-length' && /^\d{1,15}$/.test(value)) found.contentLength = Number(value);
}
