import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { KeyScope } from '@tallygate/contract/api/keys';
import { assertCallerAllowed } from '../../kernel/caller-limits.ts';
import { AppError } from '../../kernel/errors.ts';
import { KEY_HEADERS } from '../../kernel/key-headers.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';

/** No key of ours is longer; a longer credential is refused before it is hashed. */
const MAX_CREDENTIAL_LENGTH = 512;
const BEARER = /^bearer +(\S+) *$/i;

function assertSame(credential: string | null, other: string): string {
  if (credential === null || credential === other) return other;
  throw new AppError('invalid_api_key', {
    detail: 'This request carries different keys in different places. Send one of them.',
  });
}

/**
 * The credential a client sent, in one of the places the SDKs use. When there are several they must agree, so that
 * nobody can wonder which one counted.
 */
function presentedCredential(headers: IncomingHttpHeaders, inQuery: readonly string[]): string | null {
  const { authorization } = headers;
  let credential = authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null);
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') credential = assertSame(credential, value);
  }
  for (const value of inQuery) if (value !== '') credential = assertSame(credential, value);
  return credential;
}

/** What authentication looks at. The address is asked for only where it matters: reading it is a system call. */
interface ClientRequest {
  headers: IncomingHttpHeaders;
  /** Address of the client, behind proxies that are trusted. */
  address(): string | null;
}

function knownKey(snapshot: GateSnapshot, credential: string | null): KeyEntry | null {
  if (credential === null || credential.length > MAX_CREDENTIAL_LENGTH) return null;
  return snapshot.keys.get(hash('sha256', credential, 'hex')) ?? null;
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * The entry for callers without a key, when client authentication is off (NX-02). Loopback keeps other machines
 * out, but not the pages in this machine's browser, nor a proxy that brings strangers: those are refused by what
 * they cannot help sending.
 * @throws AppError `authentication_required`
 */
function openKey(snapshot: GateSnapshot, { headers }: ClientRequest): KeyEntry | null {
  if (snapshot.open === null) return null;
  const fromPage = headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none';
  const throughProxy = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  if (fromPage || throughProxy || !LOOPBACK_HOST.test(headers.host ?? '')) {
    throw new AppError('authentication_required', {
      detail:
        'Client authentication is off for programs on this machine only. Web pages, proxies and other host names need an API key.',
    });
  }
  return snapshot.open;
}

/**
 * The key says whose request this is. A host name of another domain than the key's is a mistake or an attempt, and a
 * name that is nobody's says nothing (NX-05).
 * @throws AppError `invalid_api_key`
 */
function assertDomain(
  domains: ReadonlyMap<string, string>,
  { workspaceId }: KeyEntry,
  host: string | undefined,
): void {
  const name = (host ?? '').toLowerCase();
  const owner = domains.get(name) ?? domains.get(name.replace(/:\d{1,5}$/, ''));
  if (owner === undefined || owner === workspaceId) return;
  throw new AppError('invalid_api_key', {
    detail: 'This API key does not belong to the domain of the request.',
  });
}

/**
 * Finds the key that the client presented. The look-up goes by SHA-256 only, so its timing tells nothing about
 * any stored key (CW-07).
 * @throws AppError `authentication_required`, `invalid_api_key`, `expired_api_key`, `permission_denied`, `client_not_allowed`, `key_restricted`
 */
export function authenticate(
  snapshot: GateSnapshot,
  request: ClientRequest & { inQuery: readonly string[]; scope: KeyScope; nowMs: number },
): KeyEntry {
  const credential = presentedCredential(request.headers, request.inQuery);
  const key = knownKey(snapshot, credential) ?? openKey(snapshot, request);
  if (key === null) throw new AppError(credential === null ? 'authentication_required' : 'invalid_api_key');
  if (key.expiresAtMs !== null && key.expiresAtMs <= request.nowMs) throw new AppError('expired_api_key');
  if (!key.scopes.has(request.scope)) {
    throw new AppError('permission_denied', { detail: `This key lacks the scope "${request.scope}".` });
  }
  if (snapshot.domains !== null) assertDomain(snapshot.domains, key, request.headers.host);
  if (key.workspaceClients !== null && !key.workspaceClients.has(request.address() ?? '')) {
    throw new AppError('client_not_allowed');
  }
  if (key.limits?.caller) {
    assertCallerAllowed(key.limits.caller, {
      address: request.address() ?? undefined,
      origin: request.headers.origin,
    });
  }
  return key;
}
