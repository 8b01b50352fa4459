import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { KeyScope } from '@tallygate/contract/api/keys';
import { AppError } from '../../kernel/errors.ts';
import type { GateSnapshot, KeyEntry } from '../snapshot.ts';

/** No key of ours is longer; a longer credential is refused before it is hashed. */
const MAX_CREDENTIAL_LENGTH = 512;
const BEARER = /^bearer +(\S+) *$/i;

/** Headers that SDKs carry a key in, beside `Authorization: Bearer`. */
const KEY_HEADERS = ['x-api-key', 'x-goog-api-key'] as const;

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

/**
 * Finds the key that the client presented. The look-up goes by SHA-256 only, so its timing tells nothing about
 * any stored key (CW-07).
 * @throws AppError `authentication_required`, `invalid_api_key`, `expired_api_key`, `permission_denied`
 */
export function authenticate(
  snapshot: GateSnapshot,
  request: { headers: IncomingHttpHeaders; inQuery: readonly string[]; scope: KeyScope; nowMs: number },
): KeyEntry {
  const credential = presentedCredential(request.headers, request.inQuery);
  if (credential === null) throw new AppError('authentication_required');
  if (credential.length > MAX_CREDENTIAL_LENGTH) throw new AppError('invalid_api_key');
  const key = snapshot.keys.get(hash('sha256', credential, 'hex'));
  if (key === undefined) throw new AppError('invalid_api_key');
  if (key.expiresAtMs !== null && key.expiresAtMs <= request.nowMs) throw new AppError('expired_api_key');
  if (!key.scopes.has(request.scope)) {
    throw new AppError('permission_denied', { detail: `This key lacks the scope "${request.scope}".` });
  }
  return key;
}
