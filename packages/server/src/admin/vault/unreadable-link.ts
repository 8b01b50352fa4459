import { LOOPBACK } from '../../checkup/listeners.ts';
import type { VisitedSite } from '../../identity/relying-party.ts';
import { AppError } from '../../kernel/errors.ts';

/** The scheme and name of the page; the browser's word for it where it gives one, as for a proxy that is not named. */
function pageOf({ host, pageOrigin }: VisitedSite): URL | null {
  return URL.parse(pageOrigin ?? `http://${host ?? ''}`);
}

/**
 * Refuses a link on which an answer could be read: only TLS up to here or to a trusted proxy will do, or a browser on
 * this machine itself, or one that speaks https with a proxy on this machine.
 * @param address of the caller, as far as it is known
 * @throws AppError `tls_required`
 */
export function assertUnreadable(site: VisitedSite, address: string | null): void {
  if (site.secure) return;
  const page = pageOf(site);
  const own = address !== null && LOOPBACK.test(address) && page !== null;
  if (own && !site.proxied && (page.protocol === 'https:' || LOOPBACK.test(page.hostname))) return;
  throw new AppError('tls_required', {
    detail:
      'The new master key would be shown on this page, which came over plain HTTP, where it can be read on its way. Open the dashboard over https or on the machine of the server, or use the command line there.',
  });
}
