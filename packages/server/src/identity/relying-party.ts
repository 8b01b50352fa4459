import { isIP } from 'node:net';
import { AppError } from '../kernel/errors.ts';

/** Under which address a browser reached us. */
export interface VisitedSite {
  /** The name it asked for, with its port where there is one. */
  host: string | undefined;
  /** Its connection is encrypted, here or up to a trusted proxy. */
  secure: boolean;
  /** A trusted proxy has said how it came; then `secure` is known even when it is false. */
  proxied: boolean;
  /** What the browser says its page's origin is; null where it says nothing. */
  pageOrigin: string | null;
}

/** Whom a passkey is made for (WebAuthn §5.4.2), and the origins whose pages may use it. */
export interface RelyingParty {
  rpId: string;
  origins: string[];
}

/**
 * The origins a visited site may have. A proxy that ends TLS and is not trusted leaves the scheme unknown; then the
 * browser's word for it is taken.
 */
export function originsOf({ host, secure, proxied, pageOrigin }: VisitedSite): string[] {
  const schemes = secure ? ['https'] : proxied ? ['http'] : ['http', 'https'];
  const origins = schemes
    .map((scheme) => `${scheme}://${host ?? ''}`)
    .filter((origin) => URL.canParse(origin))
    .map((origin) => new URL(origin).origin);
  return pageOrigin !== null && origins.includes(pageOrigin) ? [pageOrigin] : origins;
}

/** @throws AppError `invalid_request` where the address is no name: browsers make no passkeys for those */
export function relyingPartyOf(site: VisitedSite): RelyingParty {
  const origins = originsOf(site);
  const rpId = origins[0] === undefined ? '' : new URL(origins[0]).hostname;
  if (rpId === '' || rpId.startsWith('[') || isIP(rpId) !== 0) {
    throw new AppError('invalid_request', {
      detail:
        'Passkeys belong to a host name, and this address has none. Open the dashboard under its name, on this machine under "localhost".',
    });
  }
  return { rpId, origins };
}
