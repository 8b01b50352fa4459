import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../kernel/errors.ts';
import type { ClientView } from './request-marks.ts';

/**
 * Refuses writes that a browser says come from another site (Fetch Metadata, `Origin`), before any token is looked
 * at. Clients that are no browsers send neither header and are judged by their credential alone.
 * @throws AppError `csrf_failed`
 */
export function assertSameOrigin(headers: IncomingHttpHeaders, client: ClientView): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new AppError('csrf_failed');
  const { origin } = headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin)) throw new AppError('csrf_failed');
  const { host, protocol } = new URL(origin);
  if (host !== withoutDefaultPort(client)) throw new AppError('csrf_failed');
  // A proxy that ends TLS and is not trusted leaves the scheme unknown; host and port are what tells sites apart then.
  if (client.secure ? protocol !== 'https:' : client.proxied && protocol !== 'http:') {
    throw new AppError('csrf_failed');
  }
}

/** Browsers leave the scheme's own port out of `Origin`; proxies like to name it. */
function withoutDefaultPort({ host, secure, proxied }: ClientView): string | undefined {
  const lower = host?.toLowerCase();
  if (!secure && !proxied) return lower;
  return lower?.replace(secure ? /:443$/ : /:80$/, '');
}
