import type { Secret } from '../kernel/secret.ts';

/** RFC 6265bis §4.1.3.2: a `__Host-` cookie is Secure, of this host alone and for all paths, or browsers drop it. */
const SECURE_NAME = '__Host-tallygate_session';
/** Without TLS (loopback) browsers refuse the prefix. */
const PLAIN_NAME = 'tallygate_session';

const nameFor = (secure: boolean): string => (secure ? SECURE_NAME : PLAIN_NAME);
const flowNameFor = (secure: boolean): string => (secure ? SECURE_FLOW_NAME : PLAIN_FLOW_NAME);

/** What a browser carries while it is at its identity provider. */
const SECURE_FLOW_NAME = '__Host-tallygate_sso';
const PLAIN_FLOW_NAME = 'tallygate_sso';

/** `Set-Cookie` for a session (TW-04). */
export function sessionCookie(token: Secret, maxAgeSeconds: number, secure: boolean): string {
  return `${nameFor(secure)}=${token.reveal()}; Max-Age=${maxAgeSeconds}; ${attributes(secure)}`;
}

/** `Set-Cookie` that makes the browser forget the session. */
export function clearedCookie(secure: boolean): string {
  return `${nameFor(secure)}=; Max-Age=0; ${attributes(secure)}`;
}

/**
 * `Set-Cookie` for the way through the identity provider. Lax, since the provider's page sends the browser back; it
 * opens nothing but that one return (TW-04).
 */
export function flowCookie(kept: Secret, maxAgeSeconds: number, secure: boolean): string {
  return `${flowNameFor(secure)}=${kept.reveal()}; Max-Age=${maxAgeSeconds}; ${attributes(secure, 'Lax')}`;
}

/** `Set-Cookie` that makes the browser forget it. */
export function clearedFlowCookie(secure: boolean): string {
  return `${flowNameFor(secure)}=; Max-Age=0; ${attributes(secure, 'Lax')}`;
}

function attributes(secure: boolean, sameSite: 'Strict' | 'Lax' = 'Strict'): string {
  return `Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
}

/** What a cookie can hold (RFC 6265 §4.1.1, cookie-octet). */
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/**
 * The session token of a `Cookie` header. Over TLS only the prefixed cookie counts: a plain one could have been
 * planted by a neighbouring host or by plain http. Two of the name are ambiguous and count as none.
 */
export function readSessionCookie(header: string | undefined, secure: boolean): string | null {
  return readCookie(header, nameFor(secure));
}

/** What a browser brings back from its identity provider, by the same rules. */
export function readFlowCookie(header: string | undefined, secure: boolean): string | null {
  return readCookie(header, flowNameFor(secure));
}

function readCookie(header: string | undefined, name: string): string | null {
  if (header === undefined) return null;
  const wanted = `${name}=`;
  const found = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(wanted));
  const value = found.length === 1 ? (found[0] ?? '').slice(wanted.length) : '';
  return COOKIE_VALUE.test(value) ? value : null;
}
