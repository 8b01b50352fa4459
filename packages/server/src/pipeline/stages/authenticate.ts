import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { KeyScope } from '@tallygate/contract/api/keys';
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

/**
 * Finds the key that the client presented. The look-up goes by SHA-256 only, so its timing tells nothing about
 * any stored key (CW-07).
 * @throws AppError `authentication_required`, `invalid_api_key`, `expired_api_key`, `permission_denied`
 */
export function authenticate(
  snapshot: GateSnapshot,
  request: { headers: IncomingHttpHeaders; scope: KeyScope; nowMs: number },
): KeyEntry {
  const credential = presentedCredential(request.headers);
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
