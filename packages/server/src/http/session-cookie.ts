import type { Secret } from '../kernel/secret.ts';

/** RFC 6265bis §4.1.3.2: a `__Host-` cookie is Secure, of this host alone and for all paths, or browsers drop it. */
const SECURE_NAME = '__Host-tallygate_session';
/** Without TLS (loopback) browsers refuse the prefix. */
const PLAIN_NAME = 'tallygate_session';

const nameFor = (secure: boolean): string => (secure ? SECURE_NAME : PLAIN_NAME);

/** `Set-Cookie` for a session (TW-04). */
export function sessionCookie(token: Secret, maxAgeSeconds: number, secure: boolean): string {
  return `${nameFor(secure)}=${token.reveal()}; Max-Age=${maxAgeSeconds}; ${attributes(secure)}`;
}

/** `Set-Cookie` that makes the browser forget the session. */
export function clearedCookie(secure: boolean): string {
  return `${nameFor(secure)}=; Max-Age=0; ${attributes(secure)}`;
}

function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/**
 * The session token of a `Cookie` header. Over TLS only the prefixed cookie counts: a plain one could have been
 * planted by a neighbouring host or by plain http. Two of the name are ambiguous and count as none.
 */
export function readSessionCookie(header: string | undefined, secure: boolean): string | null {
  if (header === undefined) return null;
  const wanted = `${nameFor(secure)}=`;
  const found = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(wanted));
  const [only] = found;
  return found.length === 1 && only !== undefined ? only.slice(wanted.length) : null;
}
