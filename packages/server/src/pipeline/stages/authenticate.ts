import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { KeyScope } from '@tallygate/contract/api/keys';
import { assertCallerAllowed } from '../../kernel/caller-limits.ts';
import { AppError } from '../../kernel/errors.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';

/** No key of ours is longer; a longer credential is refused before it is hashed. */
const MAX_CREDENTIAL_LENGTH = 512;
const BEARER = /^bearer +(\S+) *$/i;

/**
 * The credential a client sent: `Authorization: Bearer` or `x-api-key`, the two forms the SDKs use. When both
 * are present they must agree, so that nobody can wonder which one counted.
 */
function presentedCredential(headers: IncomingHttpHeaders): string | null {
  const authorization = headers.authorization;
  const bearer = authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null);
  const apiKey = headers['x-api-key'];
  const direct = typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
  if (bearer !== null && direct !== null && bearer !== direct) {
    throw new AppError('invalid_api_key', {
      detail: 'Authorization and x-api-key carry different keys. Send one of them.',
    });
  }
  return bearer ?? direct;
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
 * Finds the key that the client presented. The look-up goes by SHA-256 only, so its timing tells nothing about
 * any stored key (CW-07).
 * @throws AppError `authentication_required`, `invalid_api_key`, `expired_api_key`, `permission_denied`, `key_restricted`
 */
export function authenticate(
  snapshot: GateSnapshot,
  request: ClientRequest & { scope: KeyScope; nowMs: number },
): KeyEntry {
  const credential = presentedCredential(request.headers);
  const key = knownKey(snapshot, credential) ?? openKey(snapshot, request);
  if (key === null) throw new AppError(credential === null ? 'authentication_required' : 'invalid_api_key');
  if (key.expiresAtMs !== null && key.expiresAtMs <= request.nowMs) throw new AppError('expired_api_key');
  if (!key.scopes.has(request.scope)) {
    throw new AppError('permission_denied', { detail: `This key lacks the scope "${request.scope}".` });
  }
  if (key.limits?.caller) {
    assertCallerAllowed(key.limits.caller, {
      address: request.address() ?? undefined,
      origin: request.headers.origin,
    });
  }
  return key;
}
